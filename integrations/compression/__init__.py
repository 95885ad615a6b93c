"""Lossless JPEG 2000: one port, real adapters, one fake."""
