"""Families with their statistics: counted from the rows whenever they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from model_heritage_backend.clustering.genealogy import UNRESOLVED_BELOW
from model_heritage_backend.clustering.store import Change
from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.revisions import record_revisions
from model_heritage_backend.models.tables import Family, Model, Parentage
from model_heritage_backend.models.trees import in_batches, load_families, name_family


class Families:
    """What is known of families, without their trees."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, family_id: str) -> dict[str, Any]:
        """Raises NotFound."""
        with self._database.read() as session:
            family = session.get(Family, family_id)
            if family is None:
                raise NotFound(f"There is no family {family_id!r}.")
            return _describe(session, [family])[0]

    def rename(self, family_id: str, name: str | None, change: Change) -> None:
        """Give a family a name of its own, or take it away. Raises NotFound."""
        with self._database.write() as session:
            family = session.get(Family, family_id)
            if family is None:
                raise NotFound(f"There is no family {family_id!r}.")
            family.given_name, family.updated_at = name, now()
            session.flush()
            tree = load_families(session, [family])[0].tree
            record_revisions(session, {family_id: tree.members}, {family_id: tree}, change)

    def list_all(self) -> list[dict[str, Any]]:
        """Largest first."""
        with self._database.read() as session:
            described = _describe(session, list(session.scalars(select(Family))))
        return sorted(described, key=lambda family: (-family["size"], family["id"]))

    def list_largest(self, limit: int) -> list[dict[str, Any]]:
        size = func.count(Model.id)
        query = (
            select(Family)
            .join(Model, Model.family_id == Family.id)
            .group_by(Family.id)
            .order_by(size.desc(), Family.id)
            .limit(limit)
        )
        with self._database.read() as session:
            return _describe(session, list(session.scalars(query)))


def _describe(session: Session, families: Sequence[Family]) -> list[dict[str, Any]]:
    members: dict[str, list[Any]] = {family.id: [] for family in families}
    edges: dict[str, list[Any]] = {family.id: [] for family in families}
    for ids in in_batches(members):
        for row in session.execute(
            select(Model.family_id, Model.id, Model.name, Model.total_parameters).where(
                Model.family_id.in_(ids)
            )
        ):
            members[str(row.family_id)].append(row)
        for edge in session.execute(
            select(
                Parentage.family_id,
                Parentage.parent_id,
                Parentage.child_id,
                Parentage.is_main,
                Parentage.confidence,
                Parentage.distance,
            ).where(Parentage.family_id.in_(ids))
        ):
            edges[edge.family_id].append(edge)
    return [_summarise(f, members[f.id], edges[f.id]) for f in families]


def _summarise(family: Family, members: Sequence[Any], edges: Sequence[Any]) -> dict[str, Any]:
    names = {row.id: row.name for row in members}
    main = [edge for edge in edges if edge.is_main]
    parents = {edge.child_id: edge.parent_id for edge in main}
    distances = [edge.distance for edge in main]
    confidences = [edge.confidence for edge in main]
    root_id = family.root_id if family.root_id in names else None
    return {
        "id": family.id,
        "name": name_family(family.root_id, names, family.given_name),
        "given_name": family.given_name,
        "size": len(members),
        "root_id": root_id,
        "root_name": names[root_id] if root_id else None,
        "root_confidence": family.root_confidence,
        "depth": max((_measure_depth(parents, row.id) for row in members), default=0),
        "leaf_count": len(set(names) - {edge.parent_id for edge in edges}),
        "unresolved_count": sum(confidence < UNRESOLVED_BELOW for confidence in confidences),
        "mean_confidence": sum(confidences) / len(confidences) if confidences else None,
        "avg_intra_distance": sum(distances) / len(distances) if distances else None,
        "diameter": max(distances, default=None),
        "total_parameters": sum(row.total_parameters for row in members),
        "method": family.method,
        "ghost_limit": family.ghost_limit,
        "created_at": family.created_at,
        "updated_at": family.updated_at,
    }


def _measure_depth(parents: Mapping[str, str], member: str) -> int:
    depth = 0
    while member in parents:
        member, depth = parents[member], depth + 1
    return depth
