"""DIMSE peers: one port, real adapters, one fake."""
