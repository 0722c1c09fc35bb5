"""People's statements as rows."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from model_heritage_backend.clustering.statements import Kind, Statement
from model_heritage_backend.models.database import now
from model_heritage_backend.models.tables import Constraint, SplitMember
from model_heritage_backend.models.trees import in_batches


def load_statements(session: Session, models: Collection[str] | None = None) -> list[Statement]:
    """Those that concern any of the models (None: all), oldest first."""
    if models is None:
        ids = set(session.scalars(select(Constraint.id)))
    else:
        ids = set()
        for batch in in_batches(models):
            ends = or_(Constraint.model_id.in_(batch), Constraint.parent_id.in_(batch))
            ids.update(session.scalars(select(Constraint.id).where(ends)))
            inside = select(SplitMember.constraint_id).where(SplitMember.model_id.in_(batch))
            ids.update(session.scalars(inside.distinct()))
    sides: dict[tuple[str, bool], set[str]] = {}
    rows: list[Constraint] = []
    for batch in in_batches(ids):
        rows += session.scalars(select(Constraint).where(Constraint.id.in_(batch)))
        for member in session.scalars(
            select(SplitMember).where(SplitMember.constraint_id.in_(batch))
        ):
            sides.setdefault((member.constraint_id, member.inside), set()).add(member.model_id)
    rows.sort(key=lambda row: (row.created_at, row.id))
    return [
        Statement(
            id=row.id,
            kind=Kind(row.kind),
            author=row.author,
            reason=row.reason,
            created_at=row.created_at,
            model=row.model_id,
            parent=row.parent_id,
            models=frozenset(sides.get((row.id, True), ())),
            others=frozenset(sides.get((row.id, False), ())),
        )
        for row in rows
    ]


def save_statement(session: Session, statement: Statement) -> None:
    """Add a statement, or put it in the place of one of its id."""
    drop_statement(session, statement.id)
    session.add(
        Constraint(
            id=statement.id,
            kind=statement.kind.value,
            model_id=statement.model,
            parent_id=statement.parent,
            author=statement.author,
            reason=statement.reason,
            created_at=statement.created_at or now(),
        )
    )
    session.flush()
    for side, inside in ((statement.models, True), (statement.others, False)):
        session.add_all(
            SplitMember(constraint_id=statement.id, model_id=model, inside=inside)
            for model in sorted(side)
        )
    session.flush()


def drop_statement(session: Session, statement_id: str) -> None:
    session.execute(delete(Constraint).where(Constraint.id == statement_id))


def drop_empty_splits(session: Session) -> None:
    """Splits of which one side was deleted: they separate nothing any more."""
    for inside in (True, False):
        whole = select(SplitMember.constraint_id).where(SplitMember.inside.is_(inside))
        session.execute(
            delete(Constraint).where(
                Constraint.kind == Kind.SPLIT.value, Constraint.id.not_in(whole)
            )
        )
