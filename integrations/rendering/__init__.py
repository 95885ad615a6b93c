"""Windowed pictures of slices and stacks: one port, real adapters, one fake."""
