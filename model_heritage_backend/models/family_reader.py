"""What solving one family needs, read with few questions to the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import select

from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.fingerprints.fingerprint import VERSION
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.models.tables import FingerprintRow
from model_heritage_backend.models.trees import in_batches
from model_heritage_backend.weights.tensors import Weights


class FamilyReader:
    """An ``EvidenceStore`` of the models that were read last.

    Parameters
    ----------
    store : where evidence is kept, files are, and fingerprints of former versions are renewed
    """

    def __init__(self, database: Database, store: SqlStore) -> None:
        self._database = database
        self._store = store
        self._prints: dict[str, Fingerprint] = {}

    def read(self, members: Collection[str]) -> None:
        """Load the fingerprints of a family, and forget the one before."""
        self._prints = {}
        for ids in in_batches(members):
            query = select(FingerprintRow.model_id, FingerprintRow.data).where(
                FingerprintRow.model_id.in_(ids), FingerprintRow.version == VERSION
            )
            with self._database.read() as session:
                for model_id, data in session.execute(query):
                    self._prints[model_id] = Fingerprint.from_bytes(data)

    def load_fingerprint(self, model_id: str) -> Fingerprint:
        found = self._prints.get(model_id)
        return self._store.load_fingerprint(model_id) if found is None else found

    def open_weights(self, model_id: str) -> AbstractContextManager[Weights] | None:
        return self._store.open_file(self.load_fingerprint(model_id).checksum)

    def find_evidence(self, keys: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        return self._store.find_evidence(keys)

    def save_evidence(self, key: str, evidence: Mapping[str, Any]) -> None:
        self._store.save_evidence(key, evidence)
