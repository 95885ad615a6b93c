"""Numbered schema steps; expand first, contract a release later."""
