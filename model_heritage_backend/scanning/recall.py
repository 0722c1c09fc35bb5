"""The genealogy of a folder that has not changed, without reading any file or loading the engine.

A document is remembered under everything that it was made of: the files' names and checksums, the
refusals of those that cannot be read, the options, and the program itself.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.places import PACKAGE
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import Found, FoundFile
from model_heritage_backend.weights.parts import list_parts


def name_document(found: Found, cache: ScanCache, **options: Any) -> str | None:
    """What the document of these files is remembered by; None while some of them are unknown.

    Parameters
    ----------
    options : how the document is made; ``sampled`` says whether samples of the files are read
    """
    described = []
    for file in found.files:
        known = _describe(file, cache, sampled=bool(options.get("sampled")))
        if known is None:
            return None
        described.append((file.shown, known))
    text = json.dumps([_stamp_program(), options, described], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def recall_document(key: str | None, cache: ScanCache) -> dict[str, Any] | None:
    text = None if key is None else cache.find_document(key)
    return None if text is None else dict(json.loads(text))


def remember_document(key: str | None, document: Mapping[str, Any], cache: ScanCache) -> None:
    if key is not None:
        cache.save_document(key, json.dumps(document, allow_nan=False))


def _describe(file: FoundFile, cache: ScanCache, *, sampled: bool) -> list[str] | None:
    try:
        parts = list_parts(file.path)
        statuses = [part.stat() for part in parts]
    except (HeritageError, OSError):
        return None
    checksums = [cache.find_checksum(status, sampled=sampled) for status in statuses]
    known = [checksum for checksum in checksums if checksum is not None]
    if len(known) == len(parts):
        return known
    refusal = cache.find_refusal(parts[0].name, statuses[0]) if len(parts) == 1 else None
    return None if refusal is None else ["refused", *refusal]


def _stamp_program() -> str:
    """Changes with every file of the program: what another engine found is found anew."""
    stamps = []
    for folder, folders, names in os.walk(PACKAGE):
        folders[:] = sorted(name for name in folders if name not in ("__pycache__", "shipped"))
        with os.scandir(folder) as entries:
            files = {entry.name: entry.stat() for entry in entries if entry.name.endswith(".py")}
        stamps += [
            (folder, name, files[name].st_size, files[name].st_mtime_ns)
            for name in sorted(names)
            if name in files
        ]
    return hashlib.sha256(repr(stamps).encode()).hexdigest()
