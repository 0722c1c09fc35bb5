"""From a folder of checkpoints to a heritage document."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_heritage_backend.clustering.memory_store import InMemoryStore, hash_file, name_set
from model_heritage_backend.clustering.model_management import ModelManagementSystem
from model_heritage_backend.clustering.tree_builder import TreeBuildingMethod
from model_heritage_backend.errors import HeritageError, InvalidWeights
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.interop.heritage_document import (
    DocumentError,
    DocumentModel,
    build_heritage_document,
    number_ids,
)
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import FoundFile
from model_heritage_backend.weights import is_misnamed, list_parts, open_weights
from model_heritage_backend.weights.checkpoint_set import refuse_lone_part

PASSES = 2
"""Every byte of a new file is read twice: for its checksum and for its fingerprint."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Files with their fingerprints, in the order given, and the files that could not be read."""

    files: list[tuple[FoundFile, Fingerprint]] = field(default_factory=list)
    errors: list[DocumentError] = field(default_factory=list)


def read_files(
    files: Sequence[FoundFile],
    cache: ScanCache,
    *,
    on_bytes: Callable[[int], None],
    on_error: Callable[[DocumentError], None],
) -> Reading:
    """Fingerprint every file, from the cache where it is there.

    Parameters
    ----------
    on_bytes : called with bytes done since the last call; over all files, the sum of their sizes
        times ``PASSES``
    on_error : called with each file that cannot be read, as it is met
    """
    reading = Reading()
    for file in files:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            on_bytes(count)

        try:
            reading.files.append((file, read_fingerprint(file.path, cache, advance)))
        except HeritageError as error:
            reading.errors.append(DocumentError.of(file.shown, error))
            on_error(reading.errors[-1])
        # Cached and refused files are not read; tied tensors are read twice.
        on_bytes(PASSES * file.size - done)
    return reading


def read_fingerprint(path: Path, cache: ScanCache, on_bytes: Callable[[int], None]) -> Fingerprint:
    """One file's fingerprint, computed or remembered.

    Raises
    ------
    HeritageError
        When the file cannot be read or is no checkpoint.
    """
    try:
        if path.is_file():
            refuse_lone_part(path.name)
        parts = list_parts(path)
        before = [part.stat() for part in parts]
        known = [checksum for status in before if (checksum := cache.find_checksum(status))]
        if len(known) == len(parts):
            remembered = cache.find_fingerprint(name_set(parts, known))
            if remembered is not None:
                return remembered
        # Opening comes first: what is no checkpoint is refused before its bytes are hashed.
        with open_weights(path) as weights:
            checksums = [hash_file(part, on_bytes) for part in parts]
            checksum = name_set(parts, checksums)
            fingerprint = cache.find_fingerprint(checksum)
            if fingerprint is None:
                fingerprint = fingerprint_weights(weights, checksum=checksum, progress=on_bytes)
        if [identify(part.stat()) for part in parts] != [identify(status) for status in before]:
            raise InvalidWeights("The file changed while it was read.")
    except OSError as error:
        raise InvalidWeights(f"The file cannot be read: {error.strerror}.") from None
    cache.save_fingerprint(fingerprint)
    for status, checksum in zip(before, checksums, strict=True):
        cache.save_checksum(status, checksum)
    return fingerprint


def identify(status: os.stat_result) -> tuple[int, ...]:
    """What stays the same while nobody writes to a file."""
    kind = stat.S_IFMT(status.st_mode)
    return kind, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@dataclass(frozen=True, kw_only=True)
class Lake:
    """Read files as the engine and as a document see them: one model to the engine for the same
    bytes, joined to the first of them in the document."""

    store: InMemoryStore
    models: list[DocumentModel]


def build_lake(reading: Reading, cache: ScanCache) -> Lake:
    ids = number_ids(fingerprint.checksum for _, fingerprint in reading.files)
    store = InMemoryStore(evidence=cache.get_evidence())
    first: dict[str, str] = {}
    models = []
    for (file, fingerprint), model_id in zip(reading.files, ids, strict=True):
        original = first.setdefault(fingerprint.checksum, model_id)
        if original == model_id:
            store.add_fingerprint(fingerprint, id=model_id, name=file.shown, path=file.path)
        models.append(
            DocumentModel(
                id=model_id,
                path=file.shown,
                checksum=fingerprint.checksum,
                total_parameters=fingerprint.total_parameters,
                quality=(
                    *fingerprint.quality,
                    *(["misnamed"] if is_misnamed(file.path, file.path.name) else []),
                ),
                copy_of=None if original == model_id else original,
            )
        )
    return Lake(store=store, models=models)


def solve(
    reading: Reading,
    cache: ScanCache,
    *,
    method: str,
    exact: bool,
    on_progress: Callable[[float, str], None],
) -> dict[str, Any]:
    """The genealogy of the files as a ``model-heritage/1`` document."""
    lake = build_lake(reading, cache)
    system = ModelManagementSystem(lake.store, tree_method=TreeBuildingMethod(method), exact=exact)
    system.recluster_all_models(on_progress)
    trees = [family.tree for family in lake.store.list_families()]
    return build_heritage_document(lake.models, trees, reading.errors)
