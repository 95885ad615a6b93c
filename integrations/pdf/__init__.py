"""Documents for print and archive: one port, real adapters, one fake."""
