"""Genealogies in forms that other programs read."""
