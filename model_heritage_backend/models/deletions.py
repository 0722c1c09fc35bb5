"""What deleting models would do to the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from model_heritage_backend.models.database import Database
from model_heritage_backend.models.statements import load_statements
from model_heritage_backend.models.tables import Model, Parentage
from model_heritage_backend.models.trees import in_batches


@dataclass(frozen=True)
class Child:
    """A model that stays, and loses a parent."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """What is deleted, and what follows.

    Attributes
    ----------
    models : ids of those that would be deleted
    bytes : of their files, which nothing else needs: each file is one model's
    children : models that stay, and whose parents are sought again
    families : ids of the families that lose members
    families_ended : how many of them lose all
    statements : how many of people's corrections go with them
    """

    models: tuple[str, ...]
    bytes: int
    children: tuple[Child, ...]
    families: tuple[str, ...]
    families_ended: int
    statements: int


class Deletions:
    """Questions, answered before anything is deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def weigh(self, model_ids: Sequence[str]) -> Deletion:
        """What deleting these models, of those that are there, would do."""
        with self._database.read() as session:
            found: list[str] = []
            size = 0
            lost: dict[str, int] = {}
            children: dict[str, Child] = {}
            for batch in in_batches(model_ids):
                rows = select(Model.id, Model.file_size, Model.family_id)
                for model_id, bytes_, family in session.execute(rows.where(Model.id.in_(batch))):
                    found.append(model_id)
                    size += bytes_
                    if family is not None:
                        lost[family] = lost.get(family, 0) + 1
                orphans = (
                    select(Model.id, Model.name)
                    .join(Parentage, Parentage.child_id == Model.id)
                    .where(Parentage.parent_id.in_(batch))
                )
                children |= {id_: Child(id_, name) for id_, name in session.execute(orphans)}
            ended = 0
            for batch in in_batches(lost):
                sizes = (
                    select(Model.family_id, func.count())
                    .where(Model.family_id.in_(batch))
                    .group_by(Model.family_id)
                )
                ended += sum(lost[str(family)] == n for family, n in session.execute(sizes))
            gone = set(found)
            return Deletion(
                models=tuple(sorted(found)),
                bytes=int(size),
                children=tuple(
                    sorted(
                        (child for child in children.values() if child.id not in gone),
                        key=lambda child: (child.name, child.id),
                    )
                ),
                families=tuple(sorted(lost)),
                families_ended=ended,
                statements=len(load_statements(session, gone)) if gone else 0,
            )
