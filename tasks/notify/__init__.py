"""Telling people: short messages that leave the house, and notices that stay in it."""
