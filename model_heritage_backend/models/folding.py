"""How texts are compared, whatever their case."""

from __future__ import annotations


def fold(text: str) -> str:
    """What names and tags are searched and sorted by; up to three times as long."""
    return text.casefold()
