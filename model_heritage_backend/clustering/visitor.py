"""A store with one more model that is only visiting: for asking where a file would belong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from model_heritage_backend.clustering.store import HeritageStore
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.weights.tensors import Weights

VISITOR = "visitor"


class VisitedStore:
    """Reads pass through to the store behind; nothing is written to it."""

    def __init__(
        self,
        store: HeritageStore,
        fingerprint: Fingerprint,
        open_weights: Callable[[], AbstractContextManager[Weights]] | None,
    ) -> None:
        self._store = store
        self._fingerprint = fingerprint
        self._open_weights = open_weights

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def load_fingerprint(self, model_id: str) -> Fingerprint:
        return self._fingerprint if model_id == VISITOR else self._store.load_fingerprint(model_id)

    def open_weights(self, model_id: str) -> AbstractContextManager[Weights] | None:
        if model_id != VISITOR:
            return self._store.open_weights(model_id)
        return None if self._open_weights is None else self._open_weights()

    def save_evidence(self, key: str, evidence: Mapping[str, Any]) -> None:
        """Evidence on a visitor is not kept."""
