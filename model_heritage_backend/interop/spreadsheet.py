"""Tables that spreadsheets open: names in them are anybody's, and must not act as formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from model_heritage_backend.interop.names import clean_text

FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet compute a cell, even a quoted one; the last four are the full-width
forms."""


def write_rows(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """CSV with a line of column names (RFC 4180); what is left out or None is an empty cell.

    A text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay
    numbers, negative ones too.
    """
    text = io.StringIO(newline="")
    # Lines end as the standard has them.
    table = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    table.writeheader()
    for row in rows:
        table.writerow({column: _make_safe(value) for column, value in row.items()})
    return text.getvalue()


def _make_safe(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    text = clean_text(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
