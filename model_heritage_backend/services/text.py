"""Text that people typed."""

from __future__ import annotations

from model_heritage_backend.errors import InvalidRequest


def check_text(field: str, value: str, limit: int, *, lines: bool = False) -> str:
    """Text that people typed, trimmed.

    Raises
    ------
    InvalidRequest
        When it is too long or holds control characters (``lines`` allows line breaks and tabs).
    """
    value = value.strip()
    if len(value) > limit:
        raise InvalidRequest(f"The {field} is longer than {limit} characters.")
    allowed = "\n\r\t" if lines else ""
    if any((ord(c) < 32 or 127 <= ord(c) < 160) and c not in allowed for c in value):
        raise InvalidRequest(f"The {field} contains control characters.")
    if any(0xD800 <= ord(c) < 0xE000 for c in value):
        raise InvalidRequest(f"The {field} is not valid text.")
    return value
