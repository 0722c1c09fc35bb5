"""Queries about models, families and jobs: the one place that knows how they are asked for."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from model_heritage_backend.errors import Conflict, InvalidRequest, NotFound
from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.sql_store import name_family
from model_heritage_backend.models.tables import Family, Job, Model, Parentage

SORTS: Mapping[str, tuple[Any, bool]] = {
    "name": (Model.name_folded, False),
    "-name": (Model.name_folded, True),
    "created_at": (Model.created_at, False),
    "-created_at": (Model.created_at, True),
    "total_parameters": (Model.total_parameters, False),
    "-total_parameters": (Model.total_parameters, True),
}
OPEN_STATES = ("queued", "running")


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
    """Reads and small writes; the genealogy itself is written by ``SqlStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Models ------------------------------------------------------------------------------------

    def add(self, row: Model) -> str:
        """Store a model and the job that will place it, in one transaction; gives the job's id."""
        job = Job(id=_new_id("j"), kind="process", model_id=row.id)
        with self._database.write() as session:
            session.add_all([row, job])
        return job.id

    def find_by_checksum(self, checksum: str) -> Model | None:
        with self._database.read() as session:
            return session.scalar(select(Model).where(Model.checksum == checksum))

    def get(self, model_id: str) -> ModelView:
        with self._database.read() as session:
            row = session.get(Model, model_id)
            if row is None:
                raise NotFound(f"There is no model {model_id!r}.")
            return _view(session, [row])[0]

    def list_by_ids(self, ids: Iterable[str]) -> list[ModelView]:
        """In the order of their names."""
        with self._database.read() as session:
            rows = session.scalars(
                select(Model).where(Model.id.in_(list(ids))).order_by(Model.name_folded, Model.id)
            )
            return _view(session, list(rows))

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
        column, descending = SORTS[sort]
        query = _filter(select(Model), search, family, status, relation)
        count = _filter(select(func.count()).select_from(Model), search, family, status, relation)
        with self._database.read() as session:
            total = session.scalar(count) or 0
            if cursor is not None:
                query = query.where(_after(column, descending, sort, cursor))
            order = (
                (column.desc(), Model.id.desc()) if descending else (column.asc(), Model.id.asc())
            )
            rows = list(session.scalars(query.order_by(*order).limit(limit + 1)))
            more = len(rows) > limit
            rows = rows[:limit]
            key = column.key
            following = _encode(sort, getattr(rows[-1], key), rows[-1].id) if more else None
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

    # Families and totals -------------------------------------------------------------------------

    def list_families(self, *, only: str | None = None) -> list[dict[str, Any]]:
        """Families with statistics, largest first."""
        query = select(Family) if only is None else select(Family).where(Family.id == only)
        with self._database.read() as session:
            families = list(session.scalars(query))
            described = [_describe_family(session, family) for family in families]
        if only is not None and not described:
            raise NotFound(f"There is no family {only!r}.")
        return sorted(described, key=lambda f: (-f["size"], f["id"]))

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
                select(func.count()).select_from(Parentage).where(Parentage.confidence >= 0.5)
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

    # Jobs ----------------------------------------------------------------------------------------

    def add_job(
        self, kind: str, *, model_id: str | None = None, family_id: str | None = None
    ) -> str:
        job = Job(id=_new_id("j"), kind=kind, model_id=model_id, family_id=family_id)
        with self._database.write() as session:
            session.add(job)
        return job.id

    def get_job(self, job_id: str) -> Job:
        with self._database.read() as session:
            job = session.scalar(select(Job).where(Job.id == job_id))
            if job is None:
                raise NotFound(f"There is no job {job_id!r}.")
            return job

    def list_jobs(self, *, limit: int = 100) -> tuple[list[Job], int]:
        """Newest first, and how many there are in all."""
        with self._database.read() as session:
            jobs = list(session.scalars(select(Job).order_by(Job.number.desc()).limit(limit)))
            return jobs, session.scalar(select(func.count()).select_from(Job)) or 0

    def list_open_jobs(self) -> list[str]:
        """Ids of jobs that are not finished, in the order they were asked for."""
        with self._database.read() as session:
            query = select(Job.id).where(Job.state.in_(OPEN_STATES)).order_by(Job.number)
            return list(session.scalars(query))

    def change_job(self, job_id: str, **values: Any) -> None:
        with self._database.write() as session:
            job = session.scalar(select(Job).where(Job.id == job_id))
            if job is not None:
                for name, value in values.items():
                    setattr(job, name, value)

    def cancel_job(self, job_id: str) -> None:
        """Take a queued job back.

        Raises
        ------
        Conflict
            When it has begun.
        """
        with self._database.write() as session:
            job = session.scalar(select(Job).where(Job.id == job_id))
            if job is None:
                raise NotFound(f"There is no job {job_id!r}.")
            if job.state != "queued":
                raise Conflict(f"This job is {job.state}; only a queued one can be cancelled.")
            job.state, job.error, job.finished_at = "failed", "Cancelled.", now()


def _new_id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex[:16]}"


def new_model_id() -> str:
    return _new_id("m")


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
        query = query.where(Model.parent_id.is_(None))
    elif relation:
        children = select(Parentage.child_id).where(
            Parentage.relation == relation, Parentage.is_main
        )
        query = query.where(Model.id.in_(children))
    return query


def _encode(sort: str, value: Any, model_id: str) -> str:
    plain = value.isoformat() if hasattr(value, "isoformat") else value
    return base64.urlsafe_b64encode(json.dumps([sort, plain, model_id]).encode()).decode()


def _after(column: Any, descending: bool, sort: str, cursor: str) -> ColumnElement[bool]:
    try:
        given, value, model_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if given != sort or not isinstance(model_id, str):
            raise ValueError
        if "created_at" in sort:
            value = type(now()).fromisoformat(value)
        elif not isinstance(value, int if "parameters" in sort else str):
            raise ValueError
    except (ValueError, TypeError) as error:
        raise InvalidRequest("The cursor is not one that this list gave out.") from error
    if descending:
        return or_(column < value, and_(column == value, Model.id < model_id))
    return or_(column > value, and_(column == value, Model.id > model_id))


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
    roots = dict(
        session.execute(select(Family.id, Family.root_id).where(Family.id.in_(families))).all()
    )
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
            family_name=name_family(roots.get(row.family_id), names) if row.family_id else None,
            family_size=sizes.get(row.family_id, 0),
            parent_name=names.get(row.parent_id) if row.parent_id else None,
            relation=relations.get(row.id),
            is_root=row.family_id is not None and roots.get(row.family_id) == row.id,
        )
        for row in rows
    ]


def _describe_family(session: Session, family: Family) -> dict[str, Any]:
    members = {
        row.id: row
        for row in session.execute(
            select(Model.id, Model.name, Model.total_parameters).where(Model.family_id == family.id)
        )
    }
    edges = session.execute(
        select(
            Parentage.parent_id,
            Parentage.child_id,
            Parentage.is_main,
            Parentage.confidence,
            Parentage.distance,
        ).where(Parentage.family_id == family.id)
    ).all()
    parents = {edge.child_id: edge.parent_id for edge in edges if edge.is_main}
    distances = [edge.distance for edge in edges if edge.is_main]
    confidences = [edge.confidence for edge in edges if edge.is_main]
    root = members.get(family.root_id) if family.root_id else None
    return {
        "id": family.id,
        "name": name_family(family.root_id, {key: row.name for key, row in members.items()}),
        "size": len(members),
        "root_id": root.id if root else None,
        "root_name": root.name if root else None,
        "root_confidence": family.root_confidence,
        "depth": max((_depth(parents, member) for member in members), default=0),
        "leaf_count": len(set(members) - {edge.parent_id for edge in edges}),
        "unresolved_count": sum(confidence < 0.5 for confidence in confidences),
        "mean_confidence": sum(confidences) / len(confidences) if confidences else None,
        "avg_intra_distance": sum(distances) / len(distances) if distances else None,
        "diameter": max(distances, default=None),
        "total_parameters": sum(row.total_parameters for row in members.values()),
        "method": family.method,
        "created_at": family.created_at,
        "updated_at": family.updated_at,
    }


def _depth(parents: Mapping[str, str], member: str) -> int:
    depth = 0
    while member in parents:
        member, depth = parents[member], depth + 1
    return depth
