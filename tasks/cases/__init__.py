"""The case: its number, its parties, its people and who may see it."""
