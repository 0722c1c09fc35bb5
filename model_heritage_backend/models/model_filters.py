"""Which models a list shows: every filter as one condition that an index serves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import aliased

from model_heritage_backend.clustering.genealogy import Relation, get_threshold
from model_heritage_backend.licences import get_licence_key
from model_heritage_backend.models.claim_tables import ClaimConflict, ModelTag
from model_heritage_backend.models.folding import fold
from model_heritage_backend.models.tables import Family, Model, Parentage

CHECKSUM_PART = re.compile(r"[0-9a-f]{6,64}")
AFTER_DIGITS = "g"


@dataclass(frozen=True, kw_only=True)
class ModelFilter:
    """What a model must be to be listed; all conditions together.

    Attributes
    ----------
    search : part of its name, whatever the case; or its id, or the beginning of its checksum (six
        signs at least)
    relation : that of its main edge; "root", "leaf" (without children), or "unresolved" (whose
        parent is a guess)
    parameters_min, parameters_max : number of parameters, both ends included
    created_after, created_before : aware times, both ends included
    tags : all of them, whatever their case
    licence : as it is said, in any of its spellings
    conflict : whether a claim contradicts the weights
    """

    search: str = ""
    family: str | None = None
    status: str | None = None
    relation: str | None = None
    parameters_min: int | None = None
    parameters_max: int | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    tags: tuple[str, ...] = ()
    licence: str | None = None
    conflict: bool | None = None

    def apply(self, query: Select[Any]) -> Select[Any]:
        """``query``, which selects from the models, with these conditions."""
        return query.where(*self._list_conditions())

    def _list_conditions(self) -> list[ColumnElement[bool]]:
        conditions = []
        if self.search:
            conditions.append(_matches(self.search))
        if self.family is not None:
            conditions.append(Model.family_id == self.family)
        if self.status is not None:
            conditions.append(Model.status == self.status)
        if self.relation is not None:
            conditions.append(_has_place(self.relation))
        if self.parameters_min is not None:
            conditions.append(Model.total_parameters >= self.parameters_min)
        if self.parameters_max is not None:
            conditions.append(Model.total_parameters <= self.parameters_max)
        if self.created_after is not None:
            conditions.append(Model.created_at >= self.created_after)
        if self.created_before is not None:
            conditions.append(Model.created_at <= self.created_before)
        for tag in self.tags:
            tagged = select(ModelTag.model_id).where(ModelTag.tag == fold(tag.strip()))
            conditions.append(Model.id.in_(tagged))
        if self.licence is not None:
            conditions.append(Model.licence == get_licence_key(self.licence))
        if self.conflict is not None:
            inside = Model.id.in_(select(ClaimConflict.model_id))
            conditions.append(inside if self.conflict else ~inside)
        return conditions


def _matches(search: str) -> ColumnElement[bool]:
    named = Model.name_folded.contains(fold(search), autoescape=True)
    plain = search.strip().lower()
    # As a list made beforehand: the names can then be read from their index alone.
    other = aliased(Model)
    known = [other.id == plain]
    if CHECKSUM_PART.fullmatch(plain):
        known += [(other.checksum >= plain) & (other.checksum < plain + AFTER_DIGITS)]
    return or_(named, Model.id.in_(select(other.id).where(or_(*known))))


def _has_place(relation: str) -> ColumnElement[bool]:
    if relation == "root":
        return Model.id.in_(select(Family.root_id))
    if relation == "leaf":
        return ~select(Parentage.child_id).where(Parentage.parent_id == Model.id).exists()
    if relation == Relation.UNRESOLVED:
        guessed = Model.confidence_score < get_threshold()
        return or_(guessed, Model.relation == relation)
    return Model.relation == relation
