"""Short messages: one port, real adapters, one fake."""
