"""Bytes by hash: one port, real adapters, one fake."""
