"""Our engine on a folder of checkpoints, by the very steps of ``model-heritage scan``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.relatedness import relate_all
from model_heritage_backend.interop.heritage_document import DocumentError
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import find_checkpoints
from model_heritage_backend.scanning.reading import Reading, read_files
from model_heritage_backend.scanning.solving import solve


def read_zoo(folder: Path) -> Reading:
    """Fingerprints of all checkpoints of a folder, nothing remembered from earlier runs.

    Raises
    ------
    RuntimeError
        When a file cannot be read: a zoo's files are all good.
    """

    def fail(error: DocumentError) -> None:
        raise RuntimeError(f"{error.path}: {error.detail}")

    cache = ScanCache(None)
    try:
        files = find_checkpoints(folder).files
        return read_files(files, cache, on_bytes=lambda _: None, on_error=fail)
    finally:
        cache.close()


def relate_zoo(reading: Reading) -> tuple[list[str], NDArray[np.bool_]]:
    """File names, and which pairs of them the engine's test takes for relatives."""
    fingerprints = [fingerprint for _, fingerprint in reading.files]
    return [file.path.name for file, _ in reading.files], relate_all(fingerprints)


def solve_zoo(reading: Reading, *, method: str) -> tuple[dict[str, Any], float]:
    """Heritage document by one tree building method, and the seconds it took.

    Families are found by the engine, whatever the method: nothing of the truth is given. Exact
    evidence is computed anew every time, so that methods are timed alike.
    """
    cache = ScanCache(None)
    try:
        begun = time.perf_counter()
        document = solve(reading, cache, method=method, exact=True, on_progress=lambda *_: None)
        return document, time.perf_counter() - begun
    finally:
        cache.close()
