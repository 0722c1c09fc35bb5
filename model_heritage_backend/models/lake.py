"""Questions about models and totals, and small changes; the genealogy is ``SqlStore``'s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, select

from model_heritage_backend.clustering.genealogy import get_threshold
from model_heritage_backend.errors import NotFound
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.models.claims import declare, find_bases_again, list_keys
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.fingerprints import build_fingerprint_rows, save_route
from model_heritage_backend.models.model_filters import ModelFilter
from model_heritage_backend.models.model_views import ModelView, view_models
from model_heritage_backend.models.paging import SORTS, follows, write_cursor
from model_heritage_backend.models.tables import Family, Job, Model, Parentage
from model_heritage_backend.models.trees import in_batches

EVERYTHING = ModelFilter()


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

    def add(
        self,
        row: Model,
        fingerprint: Fingerprint,
        job: Job,
        said: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Store a model, its fingerprint, what is said of it (see ``declare``) and the job that
        will place it, in one transaction."""
        with self._database.write() as session:
            session.add(row)
            session.flush()
            session.add_all(build_fingerprint_rows(row.id, fingerprint, admitted=False))
            save_route(session, row.id, fingerprint)
            declare(session, row, said)
            session.add(job)
            find_bases_again(session, list_keys(row))

    def find_by_checksum(self, checksum: str) -> Model | None:
        with self._database.read() as session:
            return session.scalar(select(Model).where(Model.checksum == checksum))

    def has_checksum(self, checksum: str) -> bool:
        return self.find_by_checksum(checksum) is not None

    def find(self, model_id: str) -> Model | None:
        with self._database.read() as session:
            return session.get(Model, model_id)

    def get(self, model_id: str) -> ModelView:
        with self._database.read() as session:
            row = session.get(Model, model_id)
            if row is None:
                raise NotFound(f"There is no model {model_id!r}.")
            return view_models(session, [row])[0]

    def list_by_ids(self, ids: Iterable[str]) -> list[ModelView]:
        """In the order of their names."""
        views: list[ModelView] = []
        with self._database.read() as session:
            for batch in in_batches(ids):
                rows = session.scalars(select(Model).where(Model.id.in_(batch)))
                views += view_models(session, list(rows))
        return sorted(views, key=lambda view: (view.row.name_folded, view.row.id))

    def list_page(
        self,
        wanted: ModelFilter = EVERYTHING,
        *,
        sort: str = "name",
        limit: int = 50,
        cursor: str | None = None,
    ) -> ModelPage:
        """The models that are wanted; by keyset, never by offset."""
        order = SORTS[sort]
        # Ids first: what no index has in order is sorted without carrying whole rows along.
        query = wanted.apply(select(Model.id))
        with self._database.read() as session:
            total = session.scalar(wanted.apply(select(func.count()).select_from(Model))) or 0
            if cursor is not None:
                query = query.where(follows(sort, cursor))
            ids = list(session.scalars(query.order_by(*order.clauses).limit(limit + 1)))
            more, ids = len(ids) > limit, ids[:limit]
            found = {row.id: row for row in session.scalars(select(Model).where(Model.id.in_(ids)))}
            rows = [found[model_id] for model_id in ids]
            following = write_cursor(sort, rows[-1]) if more else None
            return ModelPage(view_models(session, rows), total, following)

    def change(self, model_id: str, values: Mapping[str, Any]) -> None:
        with self._database.write() as session:
            row = session.get(Model, model_id)
            if row is None:
                raise NotFound(f"There is no model {model_id!r}.")
            before = list_keys(row)
            for name, value in values.items():
                setattr(row, name, value)
            if list_keys(row) != before:
                find_bases_again(session, {*before, *list_keys(row)})

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
                .where(Parentage.confidence >= get_threshold())
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
