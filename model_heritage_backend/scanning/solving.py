"""From fingerprints to a heritage document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.model_management import ModelManagementSystem
from model_heritage_backend.clustering.tree_builder import TreeBuildingMethod
from model_heritage_backend.interop.heritage_document import (
    DocumentModel,
    build_heritage_document,
    number_ids,
)
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.reading import Reading
from model_heritage_backend.weights import is_misnamed


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
                    *(["sampled"] if fingerprint.level == "sampled" else []),
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
