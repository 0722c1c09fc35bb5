"""A heritage document as a table (CSV) that is safe to open in a spreadsheet.

One row per model; of a merge one more row for every further parent.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from model_heritage_backend.interop.names import clean_text, get_family_ids

COLUMNS = (
    "model_id",
    "name",
    "family",
    "parent_id",
    "parent_name",
    "relation",
    "main",
    "confidence",
    "resolved",
    "distance",
    "coefficient",
    "total_parameters",
    "licence",
    "quality",
    "checksum",
)
FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet compute a cell; the last four are the full-width forms."""


def write_csv(document: Mapping[str, Any]) -> str:
    """RFC 4180 with a header line; unknown cells are empty.

    A text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay
    numbers, negative ones too.
    """
    families = get_family_ids(document)
    names = {model["id"]: model["path"] for model in document["models"]}
    edges: dict[str, list[Mapping[str, Any]]] = {}
    for edge in document["edges"]:
        edges.setdefault(edge["child"], []).append(edge)
    text = io.StringIO()
    # Lines end as the standard has them.
    table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    table.writeheader()
    for model in document["models"]:
        own = {
            "model_id": model["id"],
            "name": model["path"],
            "family": families[model["family"]],
            "total_parameters": model["total_parameters"],
            "licence": model.get("licence"),
            "quality": " ".join(model.get("quality", ())),
            "checksum": model["checksum"],
        }
        rows = [own | _describe_edge(edge, names) for edge in edges.get(model["id"], ())]
        for row in rows or [own]:
            table.writerow({column: _make_safe(value) for column, value in row.items()})
    return text.getvalue()


def _describe_edge(edge: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    columns = ("relation", "main", "confidence", "resolved", "distance", "coefficient")
    return {
        "parent_id": edge["parent"],
        "parent_name": names[edge["parent"]],
        **{column: edge[column] for column in columns},
    }


def _make_safe(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    text = clean_text(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
