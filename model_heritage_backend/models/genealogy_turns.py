"""Who may change which part of the genealogy, where several programs work on one database.

A model is related only to models with which it shares a matrix's shape. So whoever places it holds
the shapes of all families that have one of its own: nobody else can change these families, nor
bring a relative of theirs, meanwhile. What has other shapes is placed at the same time elsewhere.
Where adapters or people's words tie families together whose shapes say nothing of it, and for what
concerns the whole lake, one program works alone.

On SQLite one process does everything, in one thread, and these turns are not needed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.orm import Session

from model_heritage_backend.models.database import Database
from model_heritage_backend.models.fingerprints import ADAPTER_MARK
from model_heritage_backend.models.statements import load_statements
from model_heritage_backend.models.tables import MatrixShape, Model
from model_heritage_backend.models.trees import in_batches

EVERYTHING = "genealogy"
PARTS = 256
"""Shapes share so many locks: a server has room for a limited number of them."""
Find = Callable[[Session], frozenset[str] | None]


class GenealogyTurns:
    """Turns at the genealogy of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def take_all(self) -> Iterator[None]:
        """Nothing of the genealogy changes within the block but by it."""
        with self._database.hold(alone=[EVERYTHING]):
            yield

    @contextmanager
    def take_for_models(self, model_ids: Sequence[str]) -> Iterator[None]:
        """No family that one of some stored models may belong to changes within the block but by
        it."""
        with self._take(lambda session: _find_parts_of_models(session, model_ids)):
            yield

    @contextmanager
    def take_for_family(self, family_id: str) -> Iterator[None]:
        """A family does not change within the block but by it."""
        with self._take(lambda session: _find_parts_of_families(session, {family_id})):
            yield

    @contextmanager
    def _take(self, find: Find) -> Iterator[None]:
        if not self._database.is_shared:
            yield
            return
        wanted = self._look(find)
        while wanted is not None:
            with self._database.hold(shared=[EVERYTHING], alone=wanted):
                found = self._look(find)
                if found is not None and found <= wanted:
                    yield
                    return
            # Families have grown or joined while their turn was waited for.
            wanted = None if found is None else found | wanted
        with self.take_all():
            yield

    def _look(self, find: Find) -> frozenset[str] | None:
        with self._database.read() as session:
            return find(session)


def _find_parts_of_models(session: Session, model_ids: Sequence[str]) -> frozenset[str] | None:
    own = _list_shapes(session, model_ids)
    families: set[str] = set()
    for shapes in in_batches(own):
        families.update(
            family_id
            for family_id in session.scalars(
                select(Model.family_id)
                .join(MatrixShape, MatrixShape.model_id == Model.id)
                .where(MatrixShape.shape.in_(shapes), Model.family_id.is_not(None))
                .distinct()
            )
            if family_id is not None
        )
    return _find_parts_of_families(session, families, own)


def _find_parts_of_families(
    session: Session, family_ids: Iterable[str], shapes: Iterable[str] = ()
) -> frozenset[str] | None:
    """Names of locks; None where the shapes do not say all."""
    members: list[str] = []
    for ids in in_batches(family_ids):
        members += session.scalars(select(Model.id).where(Model.family_id.in_(ids)))
    found = {*shapes, *_list_shapes(session, members)}
    if any(shape.startswith(ADAPTER_MARK) for shape in found):
        return None
    for batch in in_batches(ADAPTER_MARK + shape for shape in found):
        fits = select(MatrixShape.model_id).where(MatrixShape.shape.in_(batch)).limit(1)
        if session.scalar(fits) is not None:
            return None
    if any(s.joins_or_splits for s in load_statements(session, members)):
        return None
    return frozenset(f"part {zlib.crc32(shape.encode()) % PARTS}" for shape in found)


def _list_shapes(session: Session, model_ids: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for ids in in_batches(model_ids):
        found.update(
            session.scalars(
                select(MatrixShape.shape).where(MatrixShape.model_id.in_(ids)).distinct()
            )
        )
    return found
