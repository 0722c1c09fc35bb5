"""A model as lists and details show it: with its relatives and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from model_heritage_backend.licences import WORDS, Restriction
from model_heritage_backend.models.claim_tables import ClaimConflict, Declaration
from model_heritage_backend.models.claims import load_declarations, load_tags
from model_heritage_backend.models.conflicts import Reason
from model_heritage_backend.models.owners import load_owner_names
from model_heritage_backend.models.tables import Family, Model
from model_heritage_backend.models.trees import name_family


@dataclass(frozen=True)
class Conflict:
    """Where a claim contradicts the weights: ``kind`` is "base_model" or "licence"."""

    kind: str
    detail: str


@dataclass(frozen=True)
class Declared:
    """What is said of a model; ``source``: who says it ("person" or "file"), by field."""

    licence: str | None
    task: str | None
    tags: tuple[str, ...]
    base_model: str | None
    base_model_id: str | None
    source: Mapping[str, str]


NOTHING_DECLARED = Declared(None, None, (), None, None, {})


@dataclass(frozen=True)
class ModelView:
    """A model with what lists show of its relatives."""

    row: Model
    family_name: str | None
    family_size: int
    parent_name: str | None
    relation: str | None
    is_root: bool
    declared: Declared = NOTHING_DECLARED
    conflicts: tuple[Conflict, ...] = ()
    owner_name: str | None = None


def view_models(session: Session, rows: Sequence[Model]) -> list[ModelView]:
    """In the order given; at most as many as one statement may carry."""
    families = {row.family_id for row in rows if row.family_id}
    ids = [row.id for row in rows]
    sizes: dict[str | None, int] = dict(
        session.execute(
            select(Model.family_id, func.count())
            .where(Model.family_id.in_(families))
            .group_by(Model.family_id)
        ).all()
    )
    roots: dict[str | None, str | None] = {}
    given: dict[str | None, str | None] = {}
    for family_id, root_id, given_name in session.execute(
        select(Family.id, Family.root_id, Family.given_name).where(Family.id.in_(families))
    ):
        roots[family_id], given[family_id] = root_id, given_name
    wanted = {row.parent_id for row in rows if row.parent_id} | {r for r in roots.values() if r}
    names = dict(session.execute(select(Model.id, Model.name).where(Model.id.in_(wanted))).all())
    declarations, tags = load_declarations(session, ids), load_tags(session, ids)
    conflicts = _load_conflicts(session, ids)
    owners = load_owner_names(session, {row.owner_id for row in rows if row.owner_id})
    return [
        ModelView(
            row=row,
            family_name=name_family(roots.get(row.family_id), names, given.get(row.family_id))
            if row.family_id
            else None,
            family_size=sizes.get(row.family_id, 0),
            parent_name=names.get(row.parent_id) if row.parent_id else None,
            relation=row.relation,
            is_root=row.family_id is not None and roots.get(row.family_id) == row.id,
            declared=_tell_declared(declarations.get(row.id), tags.get(row.id, [])),
            conflicts=tuple(
                Conflict(found.kind, _explain(found, row, declarations, names))
                for found in conflicts.get(row.id, ())
            ),
            owner_name=owners.get(row.owner_id or ""),
        )
        for row in rows
    ]


def _tell_declared(entry: Declaration | None, tags: Sequence[str]) -> Declared:
    if entry is None:
        return NOTHING_DECLARED
    return Declared(
        licence=entry.licence,
        task=entry.task,
        tags=tuple(tags),
        base_model=entry.base_model,
        base_model_id=entry.base_model_id,
        source=entry.sources,
    )


def _load_conflicts(session: Session, ids: Sequence[str]) -> dict[str, list[Any]]:
    query = (
        select(
            ClaimConflict.model_id,
            ClaimConflict.kind,
            ClaimConflict.reason,
            ClaimConflict.restrictions,
            Model.name,
            Declaration.licence,
        )
        .join(Model, Model.id == ClaimConflict.other_id)
        .join(Declaration, Declaration.model_id == ClaimConflict.other_id, isouter=True)
        .where(ClaimConflict.model_id.in_(ids))
        .order_by(ClaimConflict.kind)
    )
    found: dict[str, list[Any]] = {}
    for row in session.execute(query):
        found.setdefault(row.model_id, []).append(row)
    return found


def _explain(
    found: Any,
    row: Model,
    declarations: Mapping[str, Declaration],
    names: Mapping[str, str],
) -> str:
    claim = f"It is said to come from {found.name}"
    if found.reason == Reason.OTHER_FAMILY:
        return f"{claim}, but by their weights the two are not related."
    if found.reason == Reason.DESCENDANT:
        return f"{claim}, but by their weights that one came from it."
    if found.reason == Reason.NOT_AN_ANCESTOR:
        sure = round(100 * (row.confidence_score or 0.0))
        parent = names.get(row.parent_id or "", "another model")
        return f"{claim}, but by its weights from {parent} ({sure} % sure)."
    missing = ", ".join(WORDS[Restriction(word)] for word in found.restrictions)
    return (
        f"It is said to be under {declarations[row.id].licence}, but its parent {found.name} under "
        f"{found.licence}, which asks for more: {missing}."
    )
