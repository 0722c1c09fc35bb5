"""The history of families."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Dict, Float, Integer, List, Nested, String
from apiflask.validators import OneOf, Range

from model_heritage_backend.clustering.store import Cause
from model_heritage_backend.routes.schemas.common import EdgeShape
from model_heritage_backend.routes.schemas.corrections import NamedModel
from model_heritage_backend.routes.schemas.families import GhostShape

LARGEST_NUMBER = 2**31 - 1


class RevisionListQuery(Schema):
    limit = Integer(load_default=50, validate=Range(1, 200))
    cursor = Integer(load_default=None, allow_none=True, validate=Range(1, LARGEST_NUMBER))


class RevisionShape(Schema):
    number = Integer()
    cause = String(validate=OneOf(tuple(cause.value for cause in Cause)))
    summary = String()
    model = Nested(NamedModel, allow_none=True)
    statement = Dict(allow_none=True)
    author = String(allow_none=True)
    reason = String()
    size = Integer()
    came_from = List(String())
    went_to = List(String())
    created_at = String()


class RevisionList(Schema):
    family_id = String()
    revisions = List(Nested(RevisionShape))
    total = Integer()
    next_cursor = Integer(allow_none=True)


class FormerEvidence(Schema):
    runner_up = String(allow_none=True)
    margin = Float(allow_none=True)
    flags = List(String())
    method = String()
    stated_by = String(allow_none=True)


class FormerEdge(EdgeShape):
    evidence = Nested(FormerEvidence)


class FormerTree(Schema):
    family_id = String()
    name = String()
    method = String()
    root_id = String(allow_none=True)
    nodes = List(Nested(NamedModel))
    edges = List(Nested(FormerEdge))
    ghosts = List(Nested(GhostShape))
    revision = Nested(RevisionShape)


class MemberChangeShape(Schema):
    id = String()
    name = String()
    change = String(validate=OneOf(("came", "went")))
    revision = Integer()
    why = String()


class EdgeChangeShape(Schema):
    child = Nested(NamedModel)
    change = String(validate=OneOf(("added", "removed", "moved", "changed")))
    before = Nested(FormerEdge, allow_none=True)
    after = Nested(FormerEdge, allow_none=True)
    revision = Integer()
    why = String()


class EndShape(Schema):
    number = Integer()
    name = String()
    root_id = String(allow_none=True)
    size = Integer()
    created_at = String()


class RevisionDiff(Schema):
    family_id = String()
    before = Nested(EndShape)
    after = Nested(EndShape)
    names = Dict(keys=String(), values=String())
    members = List(Nested(MemberChangeShape))
    edges = List(Nested(EdgeChangeShape))
