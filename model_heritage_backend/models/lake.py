"""Questions about models and totals, and small changes; the genealogy is ``SqlStore``'s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from model_heritage_backend.clustering.genealogy import UNRESOLVED_BELOW
from model_heritage_backend.errors import NotFound
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.fingerprints import build_fingerprint_rows
from model_heritage_backend.models.paging import SORTS, follows, write_cursor
from model_heritage_backend.models.tables import Family, Job, Model, Parentage
from model_heritage_backend.models.trees import in_batches, name_family


@dataclass(frozen=True)
class ModelView:
    """A model with what lists show of its relatives."""

    row: Model
    family_name: str | None
    family_size: int
    parent_name: str | None
    relation: str | None
    is_root: bool


@dataclass(frozen=True)
class ModelPage:
    views: list[ModelView]
    total: int
    next_cursor: str | None


class Lake:
    """What is stored, as people ask for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Models ------------------------------------------------------------------------------------

    def add(self, row: Model, fingerprint: Fingerprint, job: Job) -> None:
        """Store a model, its fingerprint and the job that will place it, in one transaction."""
        with self._database.write() as session:
            session.add(row)
            session.flush()
            session.add_all(build_fingerprint_rows(row.id, fingerprint, admitted=False))
            session.add(job)

    def find_by_checksum(self, checksum: str) -> Model | None:
        with self._database.read() as session:
            return session.scalar(select(Model).where(Model.checksum == checksum))

    def find(self, model_id: str) -> Model | None:
        with self._database.read() as session:
            return session.get(Model, model_id)

    def get(self, model_id: str) -> ModelView:
        with self._database.read() as session:
            row = session.get(Model, model_id)
            if row is None:
                raise NotFound(f"There is no model {model_id!r}.")
            return _view(session, [row])[0]

    def list_by_ids(self, ids: Iterable[str]) -> list[ModelView]:
        """In the order of their names."""
        views: list[ModelView] = []
        with self._database.read() as session:
            for batch in in_batches(ids):
                rows = session.scalars(select(Model).where(Model.id.in_(batch)))
                views += _view(session, list(rows))
        return sorted(views, key=lambda view: (view.row.name_folded, view.row.id))

    def list_page(
        self,
        *,
        search: str = "",
        family: str | None = None,
        status: str | None = None,
        relation: str | None = None,
        sort: str = "name",
        limit: int = 50,
        cursor: str | None = None,
    ) -> ModelPage:
        """Models whose name contains ``search``, whatever its case; by keyset, never by offset."""
        order = SORTS[sort]
        query = _filter(select(Model), search, family, status, relation)
        count = _filter(select(func.count()).select_from(Model), search, family, status, relation)
        with self._database.read() as session:
            total = session.scalar(count) or 0
            if cursor is not None:
                query = query.where(follows(sort, cursor))
            rows = list(session.scalars(query.order_by(*order.clauses).limit(limit + 1)))
            more, rows = len(rows) > limit, rows[:limit]
            following = write_cursor(sort, rows[-1]) if more else None
            return ModelPage(_view(session, rows), total, following)

    def change(self, model_id: str, values: Mapping[str, Any]) -> None:
        with self._database.write() as session:
            row = session.get(Model, model_id)
            if row is None:
                raise NotFound(f"There is no model {model_id!r}.")
            for name, value in values.items():
                setattr(row, name, value)

    def list_checksums(self) -> set[str]:
        with self._database.read() as session:
            return set(session.scalars(select(Model.checksum)))

    # Totals -----------------------------------------------------------------------------------

    def count(self) -> dict[str, Any]:
        """Totals of the lake."""
        with self._database.read() as session:
            models, parameters, size = session.execute(
                select(
                    func.count(Model.id),
                    func.coalesce(func.sum(Model.total_parameters), 0),
                    func.coalesce(func.sum(Model.file_size), 0),
                )
            ).one()
            states = dict(
                session.execute(select(Model.status, func.count()).group_by(Model.status)).all()
            )
            relations = dict(
                session.execute(
                    select(Parentage.relation, func.count())
                    .group_by(Parentage.relation)
                    .order_by(Parentage.relation)
                ).all()
            )
            resolved = session.scalar(
                select(func.count())
                .select_from(Parentage)
                .where(Parentage.confidence >= UNRESOLVED_BELOW)
            )
            return {
                "total_models": models,
                "total_families": session.scalar(select(func.count()).select_from(Family)),
                "total_parameters": int(parameters),
                "total_bytes": int(size),
                "total_edges": sum(relations.values()),
                "resolved_edges": resolved,
                "processing": states.get("processing", 0),
                "errors": states.get("error", 0),
                "relations": relations,
                "mean_confidence": session.scalar(select(func.avg(Parentage.confidence))),
                "mean_distance": session.scalar(select(func.avg(Parentage.distance))),
            }


def fold(name: str) -> str:
    """What names are searched and sorted by."""
    return name.casefold()


def _filter(
    query: Select[Any], search: str, family: str | None, status: str | None, relation: str | None
) -> Select[Any]:
    if search:
        query = query.where(Model.name_folded.contains(fold(search), autoescape=True))
    if family:
        query = query.where(Model.family_id == family)
    if status:
        query = query.where(Model.status == status)
    if relation == "root":
        query = query.where(Model.id.in_(select(Family.root_id)))
    elif relation:
        children = select(Parentage.child_id).where(
            Parentage.relation == relation, Parentage.is_main
        )
        query = query.where(Model.id.in_(children))
    return query


def _view(session: Session, rows: list[Model]) -> list[ModelView]:
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
    relations = dict(
        session.execute(
            select(Parentage.child_id, Parentage.relation).where(
                Parentage.child_id.in_(ids), Parentage.is_main
            )
        ).all()
    )
    return [
        ModelView(
            row=row,
            family_name=name_family(roots.get(row.family_id), names, given.get(row.family_id))
            if row.family_id
            else None,
            family_size=sizes.get(row.family_id, 0),
            parent_name=names.get(row.parent_id) if row.parent_id else None,
            relation=relations.get(row.id),
            is_root=row.family_id is not None and roots.get(row.family_id) == row.id,
        )
        for row in rows
    ]
