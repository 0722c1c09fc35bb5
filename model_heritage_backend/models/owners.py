"""Whose the models are: users, and tokens without a user."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from model_heritage_backend.models.account_tables import User
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.tables import ApiToken, Model


@dataclass(frozen=True)
class Usage:
    models: int
    bytes: int


@dataclass(frozen=True)
class Owner:
    """``name`` is None for models without an owner, and for an owner that is gone."""

    id: str | None
    name: str | None
    usage: Usage


class Owners:
    """Questions about owners."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def measure(self) -> Usage:
        """All models together."""
        with self._database.read() as session:
            count, size = session.execute(select(func.count(Model.id), _sum_bytes())).one()
            return Usage(count, int(size))

    def measure_owner(self, owner_id: str) -> Usage:
        query = select(func.count(Model.id), _sum_bytes()).where(Model.owner_id == owner_id)
        with self._database.read() as session:
            count, size = session.execute(query).one()
            return Usage(count, int(size))

    def list_all(self) -> list[Owner]:
        """Those who have models, the most bytes first."""
        size = _sum_bytes()
        query = select(Model.owner_id, func.count(), size).group_by(Model.owner_id)
        with self._database.read() as session:
            rows = session.execute(query.order_by(size.desc(), Model.owner_id)).all()
            names = load_owner_names(session, {owner for owner, _, _ in rows if owner})
            return [
                Owner(owner, names.get(owner or ""), Usage(count, int(total)))
                for owner, count, total in rows
            ]

    def list_models(self, owner_id: str) -> list[str]:
        """Ids of an owner's models."""
        query = select(Model.id).where(Model.owner_id == owner_id).order_by(Model.id)
        with self._database.read() as session:
            return list(session.scalars(query))


def load_owner_names(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Names of users and tokens; of those that are there."""
    if not ids:
        return {}
    names = dict(
        session.execute(select(ApiToken.id, ApiToken.name).where(ApiToken.id.in_(ids))).all()
    )
    users = select(User.id, User.name).where(User.id.in_(ids))
    return names | dict(session.execute(users).all())


def _sum_bytes() -> ColumnElement[int]:
    return func.coalesce(func.sum(Model.file_size), 0)
