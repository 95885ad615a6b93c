"""The application: orders, opening, what is checked when it is handed in, what is frozen, how a case is stopped."""
