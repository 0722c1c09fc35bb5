"""How many of the wanted models there are of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from model_heritage_backend.models.claim_tables import ModelTag
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.model_filters import ModelFilter
from model_heritage_backend.models.tables import Model

MOST = 50
"""Licences and tags that are told of, the most frequent ones."""


@dataclass(frozen=True)
class Facets:
    """Numbers of models by value; models without one are left out."""

    relations: dict[str, int]
    statuses: dict[str, int]
    licences: dict[str, int]
    tags: dict[str, int]


class FacetCounter:
    """Counts for the filters beside a list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, wanted: ModelFilter) -> Facets:
        with self._database.read() as session:
            return Facets(
                relations=_count(session, wanted, Model.relation),
                statuses=_count(session, wanted, Model.status),
                licences=_count(session, wanted, Model.licence),
                tags=_count_tags(session, wanted),
            )


def _count(session: Session, wanted: ModelFilter, column: Any) -> dict[str, int]:
    number = func.count()
    query = wanted.apply(select(column, number).where(column.is_not(None)).group_by(column))
    return dict(session.execute(query.order_by(number.desc(), column).limit(MOST)).all())


def _count_tags(session: Session, wanted: ModelFilter) -> dict[str, int]:
    number = func.count()
    tag: Any = func.min(ModelTag.label)
    query: Select[Any] = select(tag, number).group_by(ModelTag.tag)
    if wanted != ModelFilter():
        query = wanted.apply(query.join(Model, Model.id == ModelTag.model_id))
    return dict(session.execute(query.order_by(number.desc(), ModelTag.tag).limit(MOST)).all())
