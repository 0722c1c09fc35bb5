"""Exact evidence from a store's files, kept by the pair of checksums so no pair is read twice."""

from __future__ import annotations

from model_heritage_backend.clustering.alignment import match_names, model_roundoff
from model_heritage_backend.clustering.exact_evidence import (
    VERSION,
    ExactEvidence,
    measure_edge,
)
from model_heritage_backend.clustering.row_blocks import limit_bytes
from model_heritage_backend.clustering.store import HeritageStore
from model_heritage_backend.clustering.threads import one_blas_thread
from model_heritage_backend.fingerprints.names import canonicalise_names
from model_heritage_backend.weights.tensors import LazyTensor, Weights

MOST_BYTES = 2 << 30
"""Of each file's matrices that are read for one edge; of larger files, parts of every matrix."""


class StoredEvidence:
    """An ``ExactSource`` over a store; see heritage.py."""

    def __init__(self, store: HeritageStore, *, most_bytes: int = MOST_BYTES) -> None:
        self._store = store
        self._most_bytes = most_bytes

    def __call__(self, first: str, second: str) -> ExactEvidence | None:
        """Evidence of two stored models, from the cache or from their files."""
        a, b = self._store.load_fingerprint(first), self._store.load_fingerprint(second)
        key = f"{VERSION}:{a.checksum}:{b.checksum}"
        saved = self._store.find_evidence(key)
        if saved is not None:
            return ExactEvidence.from_dict(saved)
        files = self._store.open_weights(first), self._store.open_weights(second)
        if files[0] is None or files[1] is None:
            return None
        names = match_names(a, b)
        with one_blas_thread(), files[0] as x, files[1] as y:
            found = measure_edge(
                *limit_bytes(
                    _by_canonical_name(x, {}), _by_canonical_name(y, names), self._most_bytes
                ),
                roundoff=max(model_roundoff(a), model_roundoff(b)),
            )
        self._store.save_evidence(key, found.to_dict())
        return found


def _by_canonical_name(weights: Weights, names: dict[str, str]) -> dict[str, LazyTensor]:
    canonical = canonicalise_names(weights)
    return {names.get(canonical[name], canonical[name]): tensor for name, tensor in weights.items()}
