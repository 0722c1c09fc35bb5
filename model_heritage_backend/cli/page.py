"""A genealogy as one page for any browser, with everything in it: no server, no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.places import REPORT

TEMPLATE = REPORT / "report.html"
DATA_BEGINS, DATA_ENDS = '<script type="application/json" id="heritage">', "</script>"


def write_page(document: Mapping[str, Any], *, title: str, sizes: Mapping[str, int]) -> str:
    """The page of a heritage document.

    Parameters
    ----------
    title : what was scanned
    sizes : bytes of the files, by their paths in the document
    """
    template = load_template()
    data = {
        "title": title,
        "made_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "document": document,
        "sizes": sizes,
    }
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Names are anybody's text: none of them may end the element that holds the data.
    safe = text.replace("<", "\\u003c")
    start = template.index(DATA_BEGINS) + len(DATA_BEGINS)
    return template[:start] + safe + template[template.index(DATA_ENDS, start) :]


def load_template() -> str:
    """The page without its data.

    Raises
    ------
    InvalidRequest
        When it was not built.
    """
    try:
        return TEMPLATE.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidRequest(
            "The page was not built into this installation: run 'make wheel' in the project, "
            "which needs Node, and install that."
        ) from None
