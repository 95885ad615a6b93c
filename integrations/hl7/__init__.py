"""ER7 codec and MLLP: one port, real adapters, one fake."""
