"""Exact evidence from a store's files, kept by the pair of checksums so no pair is read twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from model_heritage_backend.clustering.alignment import match_names, model_roundoff
from model_heritage_backend.clustering.arrangement import (
    SCALED_ROUNDING,
    Arranged,
    ArrangedWeights,
    Arrangement,
    arrange,
)
from model_heritage_backend.clustering.edge_judge import NOTHING_ARRANGED
from model_heritage_backend.clustering.edge_measures import measure_edge
from model_heritage_backend.clustering.exact_evidence import VERSION, ExactEvidence
from model_heritage_backend.clustering.relatedness import pair_names
from model_heritage_backend.clustering.row_blocks import limit_bytes
from model_heritage_backend.clustering.threads import one_blas_thread
from model_heritage_backend.clustering.unit_orders import find_arrangement
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.fingerprints.names import canonicalise_names
from model_heritage_backend.weights.tensors import LazyTensor, Weights

MOST_BYTES = 2 << 30
"""Of each file's matrices that are read for one edge; of larger files, parts of every matrix."""
LARGEST_ARRANGED = 2**25
"""Values of the largest models that are put in order: all values of two are held in memory."""


class EvidenceStore(Protocol):
    """What solving a family asks of a ``HeritageStore``."""

    def load_fingerprint(self, model_id: str) -> Fingerprint: ...

    def open_weights(self, model_id: str) -> AbstractContextManager[Weights] | None: ...

    def find_evidence(self, keys: Collection[str]) -> Mapping[str, Mapping[str, Any]]: ...

    def save_evidence(self, key: str, evidence: Mapping[str, Any]) -> None: ...


class StoredEvidence:
    """An ``ExactSource`` over a store; see heritage.py."""

    def __init__(self, store: EvidenceStore, *, most_bytes: int = MOST_BYTES) -> None:
        self._store = store
        self._most_bytes = most_bytes
        self._recalled: dict[str, Mapping[str, Any] | None] = {}

    def recall(
        self, pairs: Iterable[tuple[str, str]], arranged: Mapping[str, Arranged] = NOTHING_ARRANGED
    ) -> None:
        """Ask the store for what is kept of pairs, all at once."""
        keys = [self._name(*pair, arranged) for pair in pairs]
        self._recalled = {**dict.fromkeys(keys), **self._store.find_evidence(keys)}

    def __call__(
        self, first: str, second: str, arranged: Mapping[str, Arranged] = NOTHING_ARRANGED
    ) -> ExactEvidence | None:
        """Evidence of two stored models, from the cache or from their files."""
        a, b = (self._get_fingerprint(model, arranged) for model in (first, second))
        key = self._name(first, second, arranged)
        if key in self._recalled:
            saved = self._recalled.pop(key, None)
        else:
            saved = self._store.find_evidence([key]).get(key)
        if saved is not None:
            return ExactEvidence.from_dict(saved)
        files = self._store.open_weights(first), self._store.open_weights(second)
        if files[0] is None or files[1] is None:
            return None
        names = match_names(a, b)
        roundoff = max(model_roundoff(a), model_roundoff(b))
        if any(m in arranged and arranged[m].arrangement.is_scaled for m in (first, second)):
            roundoff *= SCALED_ROUNDING
        with one_blas_thread(), files[0] as x, files[1] as y:
            found = measure_edge(
                *limit_bytes(
                    _read(x, arranged.get(first)),
                    _rename(_read(y, arranged.get(second)), names),
                    self._most_bytes,
                ),
                roundoff=roundoff,
            )
        self._store.save_evidence(key, found.to_dict())
        return found

    def find_arrangement(
        self, model: str, reference: str, arranged: Mapping[str, Arranged]
    ) -> Arrangement | None:
        """How a stored model is brought into the order of another, from all of their values."""
        a, b = self._get_fingerprint(reference, arranged), self._store.load_fingerprint(model)
        if max(a.total_parameters, b.total_parameters) > LARGEST_ARRANGED:
            return None
        files = self._store.open_weights(reference), self._store.open_weights(model)
        if files[0] is None or files[1] is None:
            return None
        with one_blas_thread(), files[0] as x, files[1] as y:
            first, second = _read(x, arranged.get(reference)), _read(y, None)
            names = pair_names(a, b)
            guessed = any(name != known for name, known in names.items())
            return find_arrangement(first, second, names, guessed=guessed)

    def arrange(self, model: str, arrangement: Arrangement) -> Arranged | None:
        file = self._store.open_weights(model)
        if file is None:
            return None
        with file as weights:
            known = self._store.load_fingerprint(model)
            return arrange(_read(weights, None), known, arrangement)

    def _name(self, first: str, second: str, arranged: Mapping[str, Arranged]) -> str:
        a, b = (self._get_fingerprint(model, arranged) for model in (first, second))
        return f"{VERSION}:{a.checksum}:{b.checksum}"

    def _get_fingerprint(self, model: str, arranged: Mapping[str, Arranged]) -> Fingerprint:
        if model in arranged:
            return arranged[model].fingerprint
        return self._store.load_fingerprint(model)


def _read(weights: Weights, arranged: Arranged | None) -> Mapping[str, LazyTensor]:
    """Tensors by canonical name, in the order in which they are to be seen."""
    canonical = canonicalise_names(weights)
    plain = {canonical[name]: tensor for name, tensor in weights.items()}
    if arranged is None:
        return plain
    # The fingerprint's names are canonical, whatever the arrangement calls the tensors.
    moved = ArrangedWeights(plain, arranged.arrangement)
    names = canonicalise_names(moved)
    return {names[name]: tensor for name, tensor in moved.items()}


def _rename(tensors: Mapping[str, LazyTensor], names: Mapping[str, str]) -> dict[str, LazyTensor]:
    return {names.get(name, name): tensor for name, tensor in tensors.items()}
