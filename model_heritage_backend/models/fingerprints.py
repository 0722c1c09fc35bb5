"""Fingerprints as rows, and the decoded ones that are kept in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from model_heritage_backend.clustering.routes import encode_route, list_matrices
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.fingerprints.fingerprint import VERSION
from model_heritage_backend.models.tables import FingerprintRow, MatrixShape, RouteRow, Structure

SHAPE_LENGTH = 80
ADAPTER_MARK = "+"


def build_fingerprint_rows(
    model_id: str, fingerprint: Fingerprint, *, admitted: bool
) -> list[FingerprintRow | MatrixShape]:
    """A fingerprint and the index of its matrices' shapes, ready to be stored."""
    row = FingerprintRow(
        model_id=model_id,
        version=VERSION,
        level=fingerprint.level,
        admitted=admitted,
        data=fingerprint.to_bytes(),
    )
    keys = list_shape_keys(fingerprint, of_adapters=fingerprint.is_adapter)
    return [row, *(MatrixShape(shape=key, model_id=model_id) for key in keys)]


def save_route(session: Session, model_id: str, fingerprint: Fingerprint) -> None:
    """What proposes relatives of a model; of an adapter nothing."""
    if fingerprint.is_adapter:
        return
    structure = fingerprint.structural_hash
    if session.scalar(select(Structure.hash).where(Structure.hash == structure)) is None:
        matrices = [[name, list(shape)] for name, shape in list_matrices(fingerprint)]
        session.add(Structure(hash=structure, matrices=matrices))
    route = encode_route(fingerprint).tobytes()
    session.add(RouteRow(model_id=model_id, structure=structure, route=route))


def list_shape_keys(fingerprint: Fingerprint, *, of_adapters: bool) -> list[str]:
    """What models must share to be candidates: the shapes of matrices, sorted.

    Those that adapters change are kept under a mark of their own. Very long ones are cut: that can
    only add candidates, and the engine decides.
    """
    mark = ADAPTER_MARK if of_adapters else ""
    return sorted({_write_shape(shape, mark) for shape in fingerprint.shapes})


def _write_shape(shape: Iterable[int], mark: str) -> str:
    return (mark + "x".join(str(size) for size in shape))[:SHAPE_LENGTH]


class FingerprintCache:
    """Least recently used fingerprints, up to a number of bytes; used from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._entries: OrderedDict[str, tuple[Fingerprint, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, model_id: str) -> Fingerprint | None:
        with self._lock:
            if model_id not in self._entries:
                return None
            self._entries.move_to_end(model_id)
            return self._entries[model_id][0]

    def put(self, model_id: str, fingerprint: Fingerprint, size: int) -> None:
        with self._lock:
            self._drop(model_id)
            self._entries[model_id] = (fingerprint, size)
            self._used += size
            while self._used > self._limit and self._entries:
                self._drop(next(iter(self._entries)))

    def drop(self, model_id: str) -> None:
        with self._lock:
            self._drop(model_id)

    def _drop(self, model_id: str) -> None:
        if model_id in self._entries:
            self._used -= self._entries.pop(model_id)[1]
