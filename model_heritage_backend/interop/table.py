"""A heritage document as a table (CSV) that is safe to open in a spreadsheet.

One row per model; of a merge one more row for every further parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model_heritage_backend.interop.names import get_family_ids
from model_heritage_backend.interop.spreadsheet import write_rows

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


def write_csv(document: Mapping[str, Any]) -> str:
    """RFC 4180 with a header line; unknown cells are empty, and no text acts as a formula."""
    families = get_family_ids(document)
    names = {model["id"]: model["path"] for model in document["models"]}
    edges: dict[str, list[Mapping[str, Any]]] = {}
    for edge in document["edges"]:
        edges.setdefault(edge["child"], []).append(edge)
    rows: list[dict[str, Any]] = []
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
        placed = [own | _describe_edge(edge, names) for edge in edges.get(model["id"], ())]
        rows += placed or [own]
    return write_rows(COLUMNS, rows)


def _describe_edge(edge: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    columns = ("relation", "main", "confidence", "resolved", "distance", "coefficient")
    return {
        "parent_id": edge["parent"],
        "parent_name": names[edge["parent"]],
        **{column: edge[column] for column in columns},
    }
