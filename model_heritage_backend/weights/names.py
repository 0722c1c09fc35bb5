"""Names that a file gives to its tensors: checked before they are kept, shortened when shown."""

from __future__ import annotations

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits

SHOWN = 80


def quote(name: str) -> str:
    """The name in quotes for a sentence: one short line, whatever the file says."""
    short = name if len(name) <= SHOWN else name[: SHOWN - 1] + "…"
    return "'" + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in short) + "'"


def check_name(name: str, limits: Limits) -> str:
    """The name itself, when it can be stored and shown everywhere.

    Raises
    ------
    InvalidWeights
        For names that are too long or hold control characters (a NUL fits in no SQL text).
    """
    if len(name) > limits.name_length:
        raise InvalidWeights(
            f"The name {quote(name)} is longer than {limits.name_length} characters."
        )
    if name.isascii() and name.isprintable():
        return name
    # Lone surrogates (U+D800 to U+DFFF) cannot be written as UTF-8.
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in name):
        raise InvalidWeights(f"The name {quote(name)} holds control characters.")
    return name
