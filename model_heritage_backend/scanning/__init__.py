"""Checkpoints in place: which files there are, what they hold, remembered between runs."""
