"""Jobs."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Dict, Float, Integer, List, Nested, String
from apiflask.validators import Range


class JobListQuery(Schema):
    limit = Integer(load_default=100, validate=Range(1, 200))


class JobShape(Schema):
    id = String()
    kind = String()
    state = String()
    stage = String()
    progress = Float()
    model_id = String(allow_none=True)
    family_id = String(allow_none=True)
    error = String(allow_none=True)
    result = Dict(allow_none=True)
    created_at = String()
    started_at = String(allow_none=True)
    finished_at = String(allow_none=True)


class JobList(Schema):
    jobs = List(Nested(JobShape))
    total = Integer()
