"""Family trees as rows: what the engine answers, written and read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from model_heritage_backend.clustering.genealogy import (
    Edge,
    Evidence,
    FamilyTree,
    Ghost,
    GhostLimit,
    Relation,
)
from model_heritage_backend.clustering.store import FamilyRecord
from model_heritage_backend.models.database import now
from model_heritage_backend.models.tables import Family, GhostRow, Model, Parentage

BATCH = 500
"""Values per statement: databases limit how many one may carry."""


def in_batches(values: Iterable[str]) -> Iterator[list[str]]:
    """Sorted, each once, in pieces that fit one statement."""
    ordered = sorted(set(values))
    for start in range(0, len(ordered), BATCH):
        yield ordered[start : start + BATCH]


def save_tree(session: Session, family_id: str, tree: FamilyTree) -> None:
    """Write a family with its edges, ghosts and members; its former edges must be gone."""
    family = session.get(Family, family_id)
    if family is None:
        family = Family(id=family_id)
        session.add(family)
    family.root_id, family.root_confidence = tree.root, tree.root_confidence
    family.method, family.updated_at = tree.method, now()
    family.ghost_limit, family.solved_from = tree.ghost_limit, tree.solved_from
    session.flush()
    main = tree.main_edges
    session.execute(
        update(Model),
        [
            {
                "id": member,
                "family_id": family_id,
                "parent_id": main[member].parent if member in main else None,
                "confidence_score": main[member].confidence if member in main else None,
                "relation": main[member].relation.value if member in main else None,
            }
            for member in tree.members
        ],
    )
    if tree.edges:
        session.execute(insert(Parentage), [_build_edge(family_id, edge) for edge in tree.edges])
    session.add_all(
        GhostRow(
            family_id=family_id,
            id=ghost.id,
            children=list(ghost.children),
            confidence=ghost.confidence,
            parent_id=ghost.parent,
            distances=list(ghost.distances),
        )
        for ghost in tree.ghosts
    )


def _build_edge(family_id: str, edge: Edge) -> dict[str, Any]:
    return {
        "child_id": edge.child,
        "parent_id": edge.parent,
        "family_id": family_id,
        "is_main": edge.main,
        "coefficient": edge.coefficient,
        "relation": edge.relation.value,
        "distance": edge.distance,
        "confidence": edge.confidence,
        "evidence": edge.evidence.to_dict(),
    }


def _load_edge(row: Parentage) -> Edge:
    evidence = dict(row.evidence)
    for name in ("changed", "flags", "gradient", "merged"):
        evidence[name] = tuple(evidence.get(name, ()))
    return Edge(
        parent=row.parent_id,
        child=row.child_id,
        main=row.is_main,
        relation=Relation(row.relation),
        coefficient=row.coefficient,
        confidence=row.confidence,
        distance=row.distance,
        evidence=Evidence(**evidence),
    )


def load_families(session: Session, families: Sequence[Family]) -> list[FamilyRecord]:
    """The engine's trees of families, in the order given."""
    members: dict[str, dict[str, str]] = {family.id: {} for family in families}
    edges: dict[str, list[Edge]] = {family.id: [] for family in families}
    ghosts: dict[str, list[Ghost]] = {family.id: [] for family in families}
    for ids in in_batches(members):
        for family_id, model_id, name in session.execute(
            select(Model.family_id, Model.id, Model.name).where(Model.family_id.in_(ids))
        ):
            members[str(family_id)][model_id] = name
        for row in session.scalars(
            select(Parentage)
            .where(Parentage.family_id.in_(ids))
            .order_by(Parentage.child_id, Parentage.is_main.desc(), Parentage.parent_id)
        ):
            edges[row.family_id].append(_load_edge(row))
        for ghost in session.scalars(
            select(GhostRow).where(GhostRow.family_id.in_(ids)).order_by(GhostRow.id)
        ):
            ghosts[ghost.family_id].append(
                Ghost(
                    id=ghost.id,
                    children=tuple(ghost.children),
                    confidence=ghost.confidence,
                    parent=ghost.parent_id,
                    distances=tuple(ghost.distances),
                )
            )
    return [
        FamilyRecord(
            id=family.id,
            name=name_family(family.root_id, members[family.id], family.given_name),
            tree=FamilyTree(
                members=tuple(sorted(members[family.id])),
                edges=tuple(edges[family.id]),
                root=family.root_id if family.root_id in members[family.id] else None,
                root_confidence=family.root_confidence,
                method=family.method,
                ghosts=tuple(ghosts[family.id]),
                ghost_limit=GhostLimit(family.ghost_limit) if family.ghost_limit else None,
                solved_from=family.solved_from,
            ),
        )
        for family in families
    ]


def name_family(root_id: str | None, names: Mapping[str, str], given: str | None = None) -> str:
    """Families are called as people named them, or after their root."""
    if given is not None:
        return given
    if root_id is None or root_id not in names:
        return "Family without a root"
    return f"Family of {names[root_id]}"
