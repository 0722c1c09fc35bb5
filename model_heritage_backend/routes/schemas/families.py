"""Families and their trees."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range

from model_heritage_backend.models.families import SORTS
from model_heritage_backend.routes.schemas.common import (
    EdgeShape,
    FamilyShape,
    ModelShape,
    describe_writing,
)


class ReclusterQuery(Schema):
    force = Boolean(load_default=False, truthy={"true", "1"}, falsy={"false", "0"})


class GhostShape(Schema):
    id = String()
    children = List(String())
    confidence = Float()
    parent = String(allow_none=True)
    distances = List(Float())


class Tree(Schema):
    family_id = String()
    method = String()
    root_id = String(allow_none=True)
    nodes = List(Nested(ModelShape))
    edges = List(Nested(EdgeShape))
    ghosts = List(Nested(GhostShape))


class FamilyListQuery(Schema):
    search = describe_writing(200, load_default="")
    sort = String(load_default="-size", validate=OneOf(tuple(SORTS)))
    limit = Integer(load_default=200, validate=Range(1, 200))
    cursor = String(load_default=None, allow_none=True, validate=Length(max=2000))


class FamilyList(Schema):
    families = List(Nested(FamilyShape))
    total = Integer()
    next_cursor = String(allow_none=True)


class FamilyModels(Schema):
    family_id = String()
    models = List(Nested(ModelShape))


class Genealogy(Schema):
    family = Nested(FamilyShape)
    models = List(Nested(ModelShape))
    tree = Nested(Tree)
    statistics = Dict()


class Rebuilt(Schema):
    family_id = String()
    job_id = String()
    status = String()
    models_updated = Integer()
    tree_statistics = Dict()


class Queued(Schema):
    job_id = String()
    status = String()
    estimated_duration = String(allow_none=True)


class Statistics(Schema):
    statistics = Dict()
