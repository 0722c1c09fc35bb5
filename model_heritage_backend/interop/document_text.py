"""The heritage document as text, and what can be said of it without the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_heritage_backend.errors import HeritageError, InvalidRequest

SCHEMA_NAME = "model-heritage/1"
PARTS = ("models", "edges", "families", "ghosts", "errors")


@dataclass(frozen=True, kw_only=True)
class DocumentError:
    """A file that could not be read: its path, the type of problem, and a sentence."""

    path: str
    type: str
    detail: str

    @classmethod
    def of(cls, path: str, error: HeritageError) -> DocumentError:
        return cls(path=path, type=error.type, detail=error.detail)


def write_document(document: Mapping[str, Any]) -> str:
    """The document as text: UTF-8-safe, indented, ending with a line break, never NaN."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_document(path: Path) -> dict[str, Any]:
    """What ``write_document`` wrote.

    Raises
    ------
    InvalidRequest
        When the file cannot be read or is no such document.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA_NAME:
        raise InvalidRequest(f"{path} is no heritage document of schema {SCHEMA_NAME}.")
    if not all(isinstance(document.get(part), list) for part in PARTS):
        raise InvalidRequest(f"The heritage document {path} is not whole.")
    return document
