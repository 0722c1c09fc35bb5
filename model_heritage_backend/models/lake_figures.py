"""Distributions over the whole lake, for its statistics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from model_heritage_backend.clustering.exact_evidence import VERSION
from model_heritage_backend.clustering.genealogy import get_threshold
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.tables import EdgeEvidence, Model, Parentage
from model_heritage_backend.models.trees import in_batches


@dataclass(frozen=True)
class StoredChild:
    """A model with a decided parent; ``key`` is that of the evidence about the two files."""

    key: str
    relation: str
    bytes: int


class LakeFigures:
    """Counts, each by one query."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count_arrivals(self) -> dict[str, int]:
        """Models by the UTC day on which they were added, as YYYY-MM-DD, in order."""
        day = func.date(Model.created_at)
        query = select(day, func.count()).group_by(day).order_by(day)
        with self._database.read() as session:
            return {str(found): count for found, count in session.execute(query)}

    def list_formats(self) -> list[dict[str, Any]]:
        """Models and bytes by format, the most frequent first."""
        count, size = func.count(), func.sum(Model.file_size)
        query = select(Model.format, count, size).group_by(Model.format)
        with self._database.read() as session:
            found = session.execute(query.order_by(count.desc(), Model.format))
            return [{"format": f, "models": n, "bytes": int(b)} for f, n, b in found]

    def list_family_sizes(self) -> list[int]:
        count = func.count()
        query = select(count).where(Model.family_id.is_not(None)).group_by(Model.family_id)
        with self._database.read() as session:
            return list(session.scalars(query))

    def list_parameters(self) -> list[int]:
        with self._database.read() as session:
            return list(session.scalars(select(Model.total_parameters)))

    def list_confidences(self) -> list[float]:
        """Of all main edges."""
        query = select(Parentage.confidence).where(Parentage.is_main)
        with self._database.read() as session:
            return list(session.scalars(query))

    def list_stored_children(self) -> list[StoredChild]:
        """Models whose parent is decided, with what their files and edges are."""
        parent = aliased(Model)
        query = (
            select(Model.checksum, parent.checksum, Parentage.relation, Model.file_size)
            .join(Parentage, Parentage.child_id == Model.id)
            .join(parent, parent.id == Parentage.parent_id)
            .where(Parentage.is_main, Parentage.confidence >= get_threshold())
        )
        with self._database.read() as session:
            return [
                StoredChild(f"{VERSION}:{min(a, b)}:{max(a, b)}", relation, size)
                for a, b, relation, size in session.execute(query)
            ]

    def load_evidence(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What was measured of these pairs of files, where it was."""
        found: dict[str, dict[str, Any]] = {}
        with self._database.read() as session:
            for batch in in_batches(keys):
                query = select(EdgeEvidence.key, EdgeEvidence.evidence)
                found.update(session.execute(query.where(EdgeEvidence.key.in_(batch))).all())
        return found
