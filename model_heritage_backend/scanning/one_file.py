"""Reading a single checkpoint, with what is remembered of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from model_heritage_backend.errors import InvalidWeights, NotFound
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.scanning.cache import ScanCache, find_cache_folder
from model_heritage_backend.scanning.discovery import FoundFile
from model_heritage_backend.scanning.reading import read_files


def read_one(path: Path, cache: ScanCache) -> tuple[FoundFile, Fingerprint]:
    """Raises NotFound, or InvalidWeights when it cannot be read."""
    if not path.exists():
        raise NotFound(f"There is no file {path}.")
    file = FoundFile(path=path, shown=path.name, size=path.stat().st_size)
    reading = read_files([file], cache, on_bytes=lambda _: None, on_error=lambda _: None)
    if reading.errors:
        raise InvalidWeights(f"{path}: {reading.errors[0].detail}")
    return reading.files[0]


def open_cache(*, use_cache: bool) -> contextlib.closing[ScanCache]:
    """A memory of what was read: kept for the next time, or of this time alone."""
    return contextlib.closing(ScanCache(find_cache_folder() if use_cache else None))
