"""The master index: registrations as they came, persons behind them, reversible links."""
