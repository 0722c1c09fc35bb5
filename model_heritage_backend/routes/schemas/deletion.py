"""What deleting does, and whose models there are."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String


class ChildShape(Schema):
    id = String()
    name = String()


class DeletionShape(Schema):
    models = Integer(metadata={"description": "How many would be deleted"})
    bytes = Integer(metadata={"description": "Of their files; nothing else needs them"})
    children = List(
        Nested(ChildShape),
        metadata={"description": "Models that stay, and whose parents are sought again; 100"},
    )
    children_total = Integer()
    families = Integer(metadata={"description": "How many lose members"})
    families_ended = Integer(metadata={"description": "How many of them lose all"})
    statements = Integer(metadata={"description": "Corrections by people that go with them"})


class DeletionQueued(Schema):
    job_id = String()
    status = String(metadata={"example": "queued"})


class OwnerUsage(Schema):
    id = String(allow_none=True)
    name = String(allow_none=True)
    models = Integer()
    bytes = Integer()


class Limits(Schema):
    models = Integer(allow_none=True)
    bytes = Integer(allow_none=True)


class OwnerList(Schema):
    owners = List(Nested(OwnerUsage))
    limits = Nested(Limits, metadata={"description": "Of all models together"})
    limits_per_owner = Nested(Limits)
