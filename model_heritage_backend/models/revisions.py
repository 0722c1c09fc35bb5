"""The history of families: one row per change, written in the transaction that changes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.statements import Statement
from model_heritage_backend.clustering.store import Change
from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.snapshots import EMPTY, Snapshot, pack, take_snapshot, unpack
from model_heritage_backend.models.tables import Family, Model, Revision
from model_heritage_backend.models.trees import in_batches


def record_revisions(
    session: Session,
    before: Mapping[str, Collection[str]],
    after: Mapping[str, FamilyTree],
    change: Change,
) -> None:
    """One revision of each family that is not as its last one says.

    Parameters
    ----------
    before : members of the families that were replaced
    after : what took their place, by family id
    """
    owner = {member: family_id for family_id, tree in after.items() for member in tree.members}
    former = {member: family_id for family_id, ids in before.items() for member in ids}
    named = [*owner, *(name for name in change.mentioned if name not in owner)]
    names = _load_names(session, named)
    given = _load_given_names(session, after)
    latest = _load_latest(session, {*before, *after})
    for family_id in sorted({*before, *after}):
        tree = after.get(family_id)
        snapshot = EMPTY if tree is None else take_snapshot(tree, names, given.get(family_id))
        last = latest.get(family_id)
        if last is not None and snapshot.tells_the_same(unpack(last.snapshot)):
            continue
        gone = {owner[m] for m in before.get(family_id, ()) if m in owner} - {family_id}
        come = {former[m] for m in (tree.members if tree else ()) if m in former} - {family_id}
        session.add(
            Revision(
                family_id=family_id,
                number=last.number + 1 if last else 1,
                cause=change.cause.value,
                model_id=change.model.id if change.model else None,
                model_name=change.model.name if change.model else None,
                statement=tell_statement(change.statement, names) if change.statement else None,
                author=change.author,
                reason=change.reason,
                size=len(snapshot.tree.members),
                came_from=sorted(come),
                went_to=sorted(gone),
                snapshot=pack(snapshot),
            )
        )


def tell_statement(statement: Statement, names: Mapping[str, str]) -> dict[str, Any]:
    """What was stated, with the names of that time."""
    told: dict[str, Any] = {"id": statement.id, "kind": statement.kind.value}
    told |= {"model": statement.model, "parent": statement.parent}
    told |= {"models": sorted(statement.models), "others": sorted(statement.others)}
    return told | {"names": {m: names[m] for m in sorted(statement.mentioned) if m in names}}


def _load_names(session: Session, ids: Collection[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for batch in in_batches(ids):
        names.update(session.execute(select(Model.id, Model.name).where(Model.id.in_(batch))).all())
    return names


def _load_given_names(session: Session, ids: Collection[str]) -> dict[str, str | None]:
    given: dict[str, str | None] = {}
    for batch in in_batches(ids):
        query = select(Family.id, Family.given_name).where(Family.id.in_(batch))
        given.update(session.execute(query).all())
    return given


def _load_latest(session: Session, family_ids: Collection[str]) -> dict[str, Revision]:
    found: dict[str, Revision] = {}
    for batch in in_batches(family_ids):
        newest = (
            select(func.max(Revision.id))
            .where(Revision.family_id.in_(batch))
            .group_by(Revision.family_id)
        )
        for row in session.scalars(select(Revision).where(Revision.id.in_(newest))):
            found[row.family_id] = row
    return found


class History:
    """Questions about revisions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_newest(
        self, family_id: str, *, limit: int, before: int | None
    ) -> tuple[list[Revision], int]:
        """Revisions below the number ``before``, newest first, and how many there are in all.

        Raises
        ------
        NotFound
            When there never was such a family.
        """
        query = select(Revision).where(Revision.family_id == family_id)
        if before is not None:
            query = query.where(Revision.number < before)
        count = select(func.count()).where(Revision.family_id == family_id)
        with self._database.read() as session:
            total = session.scalar(count) or 0
            if total == 0 and session.get(Family, family_id) is None:
                raise NotFound(f"There is no family {family_id!r}.")
            return list(session.scalars(query.order_by(Revision.number.desc()).limit(limit))), total

    def get(self, family_id: str, number: int) -> tuple[Revision, Snapshot]:
        """Raises NotFound."""
        [(row, snapshot)] = self.load(family_id, number, number)
        return row, snapshot

    def load(self, family_id: str, first: int, last: int) -> Sequence[tuple[Revision, Snapshot]]:
        """Revisions from one number to another, both included, in order.

        Raises
        ------
        NotFound
            When one of the two does not exist.
        """
        query = select(Revision).where(
            Revision.family_id == family_id, Revision.number.between(first, last)
        )
        with self._database.read() as session:
            rows = list(session.scalars(query.order_by(Revision.number)))
        found = {row.number for row in rows}
        for number in (first, last):
            if number not in found:
                raise NotFound(f"Family {family_id!r} has no revision {number}.")
        return [(row, unpack(row.snapshot)) for row in rows]
