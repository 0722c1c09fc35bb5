"""Tables that spreadsheets open: names in them are anybody's, and must not act as formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Signs by which spreadsheets take a cell for a formula, even after reading a quoted one."""


def write_rows(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """CSV with a line of column names (RFC 4180). Texts that begin like a formula get a quotation
    mark before them; None is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _make_safe(value) for name, value in row.items()})
    return text.getvalue()


def _make_safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(ACTIVE) else value
