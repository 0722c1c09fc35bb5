"""Jobs."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Dict, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp

from model_heritage_backend.models.tables import JOB_KINDS, JOB_STATES


class JobListQuery(Schema):
    state = String(load_default=None, allow_none=True, validate=OneOf(JOB_STATES))
    kind = String(load_default=None, allow_none=True, validate=OneOf(JOB_KINDS))
    model = String(load_default=None, allow_none=True, validate=Regexp(r"^[0-9A-Za-z_-]{1,80}$"))
    limit = Integer(load_default=100, validate=Range(1, 200))
    cursor = String(load_default=None, allow_none=True, validate=Length(max=200))


class JobShape(Schema):
    id = String()
    kind = String(validate=OneOf(JOB_KINDS))
    state = String(validate=OneOf(JOB_STATES))
    stage = String()
    progress = Float()
    eta_seconds = Float(allow_none=True)
    attempts = Integer()
    max_attempts = Integer()
    model_id = String(allow_none=True)
    family_id = String(allow_none=True)
    parameters = Dict()
    error = String(allow_none=True)
    result = Dict(allow_none=True)
    created_at = String()
    started_at = String(allow_none=True)
    updated_at = String()
    finished_at = String(allow_none=True)


class JobList(Schema):
    jobs = List(Nested(JobShape))
    total = Integer()
    next_cursor = String(allow_none=True)
