"""Texts in YAML that is written by hand, for the sake of its comments."""

from __future__ import annotations

import json


def quote_text(text: str) -> str:
    """A string of YAML and JSON, of printable characters on one line: fit for comments, too."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)
