"""Where claims contradict the weights: worked out whenever a claim or a family changes.

Everything here runs in the transaction of the change itself, so that what is stored is never older
than what it speaks of. What is stored names models only; names, confidences and licences are put
in when it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session

from model_heritage_backend.clustering.genealogy import get_threshold
from model_heritage_backend.licences import find_licence, list_dropped
from model_heritage_backend.models.claim_tables import ClaimConflict, Declaration
from model_heritage_backend.models.tables import Family, Model, Parentage
from model_heritage_backend.models.trees import in_batches

SURE = 0.9
"""From here on the weights' answer is held against a claimed base model."""


class Reason(StrEnum):
    """Why a claim and the weights do not agree."""

    OTHER_FAMILY = "other_family"
    NOT_AN_ANCESTOR = "not_an_ancestor"
    DESCENDANT = "descendant"
    DROPPED = "dropped_restrictions"


@dataclass(frozen=True)
class _Lines:
    """The edges of some families: child -> its parents, and roots that are sure."""

    parents: Mapping[str, Sequence[str]]
    sure_roots: frozenset[str]

    def list_ancestors(self, member: str) -> set[str]:
        found: set[str] = set()
        waiting = [member]
        while waiting:
            for parent in self.parents.get(waiting.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found


def settle_families(session: Session, members: Iterable[str]) -> None:
    """After families were solved: their members, and whatever claims to come from one of them."""
    concerned = set(members)
    for ids in in_batches(list(concerned)):
        concerned.update(
            session.scalars(select(Declaration.model_id).where(Declaration.base_model_id.in_(ids)))
        )
    settle(session, concerned)


def settle_claims(session: Session, changed: Iterable[str]) -> None:
    """After claims of models changed: they, and their children, whose licences may drop theirs."""
    concerned = set(changed)
    for ids in in_batches(list(concerned)):
        concerned.update(
            session.scalars(select(Parentage.child_id).where(Parentage.parent_id.in_(ids)))
        )
    settle(session, concerned)


def settle(session: Session, model_ids: Iterable[str]) -> None:
    """Work the conflicts of these models out again."""
    session.flush()
    for ids in in_batches(model_ids):
        session.execute(delete(ClaimConflict).where(ClaimConflict.model_id.in_(ids)))
        rows = session.execute(
            select(
                Model.id,
                Model.family_id,
                Model.parent_id,
                Model.confidence_score,
                Model.quality,
                Declaration.licence,
                Declaration.base_model_id,
            )
            .join(Declaration, Declaration.model_id == Model.id)
            .where(
                Model.id.in_(ids),
                or_(Declaration.licence.is_not(None), Declaration.base_model_id.is_not(None)),
            )
        ).all()
        found = [*_check_bases(session, rows), *_check_licences(session, rows)]
        if found:
            session.execute(insert(ClaimConflict), found)


def _check_bases(session: Session, rows: Sequence[Any]) -> list[dict[str, Any]]:
    claiming = [row for row in rows if row.base_model_id is not None and row.family_id is not None]
    families = _load_families(session, [row.base_model_id for row in claiming])
    inside = {row.family_id for row in claiming if families[row.base_model_id] == row.family_id}
    lines = _load_lines(session, inside)
    found = []
    for row in claiming:
        reason = _judge_base(row, families[row.base_model_id], lines)
        if reason is not None:
            found.append(_build(row.id, "base_model", reason, row.base_model_id))
    return found


def _judge_base(row: Any, base_family: str | None, lines: _Lines) -> Reason | None:
    if base_family is None:
        # The base waits for its place: nothing is known of it yet.
        return None
    if base_family != row.family_id:
        # An adapter whose base cannot be told stands in a family of its own and denies nothing.
        homeless = "adapter" in row.quality and row.parent_id is None
        return None if homeless else Reason.OTHER_FAMILY
    if row.parent_id is None:
        below = row.id in lines.sure_roots and row.id in lines.list_ancestors(row.base_model_id)
        return Reason.DESCENDANT if below else None
    if (row.confidence_score or 0.0) < SURE or row.base_model_id in lines.list_ancestors(row.id):
        return None
    below = row.id in lines.list_ancestors(row.base_model_id)
    return Reason.DESCENDANT if below else Reason.NOT_AN_ANCESTOR


def _check_licences(session: Session, rows: Sequence[Any]) -> list[dict[str, Any]]:
    licensed = {row.id: row.licence for row in rows if find_licence(row.licence) is not None}
    if not licensed:
        return []
    surest: dict[str, Any] = {}
    for edge in session.execute(
        select(Parentage.child_id, Parentage.parent_id, Declaration.licence)
        .join(Declaration, Declaration.model_id == Parentage.parent_id, isouter=True)
        .where(Parentage.child_id.in_(licensed), Parentage.confidence >= get_threshold())
        .order_by(Parentage.confidence.desc(), Parentage.is_main.desc(), Parentage.parent_id)
    ):
        surest.setdefault(edge.child_id, edge)
    found = []
    for child, edge in surest.items():
        above, own = find_licence(edge.licence), find_licence(licensed[child])
        dropped = list_dropped(above, own) if above and own else ()
        if dropped:
            words = [restriction.value for restriction in dropped]
            found.append(_build(child, "licence", Reason.DROPPED, edge.parent_id, words))
    return found


def _build(
    model_id: str, kind: str, reason: Reason, other_id: str, restrictions: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "kind": kind,
        "reason": reason.value,
        "other_id": other_id,
        "restrictions": list(restrictions),
    }


def _load_families(session: Session, model_ids: Sequence[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = dict.fromkeys(model_ids)
    for ids in in_batches(model_ids):
        query = select(Model.id, Model.family_id).where(Model.id.in_(ids))
        found |= dict(session.execute(query).all())
    return found


def _load_lines(session: Session, family_ids: Iterable[str]) -> _Lines:
    parents: dict[str, list[str]] = {}
    roots: set[str] = set()
    for ids in in_batches(family_ids):
        for child, parent in session.execute(
            select(Parentage.child_id, Parentage.parent_id).where(Parentage.family_id.in_(ids))
        ):
            parents.setdefault(child, []).append(parent)
        sure = select(Family.root_id).where(Family.id.in_(ids), Family.root_confidence >= SURE)
        roots.update(root for root in session.scalars(sure) if root is not None)
    return _Lines(parents, frozenset(roots))
