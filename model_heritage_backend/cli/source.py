"""A genealogy to ask: of a folder, of a saved document, or of a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from model_heritage_backend.cli.scan import ScanOptions, scan_folder
from model_heritage_backend.errors import InvalidRequest, NotFound, ServerUnreachable
from model_heritage_backend.interop.document_text import SCHEMA_NAME, read_document

SHORTEST_CHECKSUM = 8
Record = Mapping[str, Any]


def is_address(text: str) -> bool:
    return urlsplit(text).scheme in ("http", "https")


def load_document(where: str, notes: Console, *, token: str | None = None) -> dict[str, Any]:
    """The heritage document of a folder, of a file that ``scan --json`` wrote, or of a server.

    Parameters
    ----------
    token : for a server that asks for one

    Raises
    ------
    HeritageError
    """
    if is_address(where):
        return _ask(where, token)
    path = Path(where)
    if path.is_dir():
        document, _ = scan_folder(path, notes, ScanOptions())
        return document
    if not path.exists():
        raise NotFound(f"There is no folder or document {where}.")
    return read_document(path)


def name_source(where: str) -> str:
    """What people may call it."""
    if is_address(where):
        return urlsplit(where).netloc.rpartition("@")[2]
    path = Path(where)
    return (path.resolve().name if path.is_dir() else path.stem) or where


def find_model(document: Record, name: str) -> dict[str, Any]:
    """The one model that is meant: by id, path, file name, or the beginning of its checksum.

    Raises
    ------
    NotFound, InvalidRequest
        When there is none, or there are several.
    """
    models: Sequence[dict[str, Any]] = document["models"]
    exact = [model for model in models if name in (model["id"], model["path"])]
    found = exact or [model for model in models if _may_mean(model, name)]
    if not found:
        raise NotFound(f"There is no model {name!r} there.")
    if len(found) > 1:
        shown = ", ".join(model["path"] for model in found[:3])
        raise InvalidRequest(
            f"{name!r} may be one of {len(found)} models ({shown}): give the path."
        )
    return found[0]


def _may_mean(model: Record, name: str) -> bool:
    path = PurePosixPath(model["path"])
    if name in (path.name, path.stem):
        return True
    return len(name) >= SHORTEST_CHECKSUM and str(model["checksum"]).startswith(name.lower())


def _ask(url: str, token: str | None) -> dict[str, Any]:
    import json

    from model_heritage_backend.client import Client

    with Client(url, token) as client:
        text = client.export("json")
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA_NAME:
        raise ServerUnreachable(f"What answers at {url} is no Model Heritage server.")
    return document
