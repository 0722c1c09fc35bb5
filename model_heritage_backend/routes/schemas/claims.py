"""What people say of models."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Dict, Integer, List, Nested, String
from apiflask.validators import Length, Range

from model_heritage_backend.models.claims import FIELDS
from model_heritage_backend.routes.schemas.common import Writing, describe_writing
from model_heritage_backend.weights.claims import (
    BASE_LENGTH,
    LICENCE_LENGTH,
    TAG_LENGTH,
    TAGS,
    TASK_LENGTH,
)

ONE_TAG = rf"[^\x00-\x1f\x7f-\x9f,]{{0,{TAG_LENGTH}}}"
SEVERAL_TAGS = rf"^{ONE_TAG}(?:,{ONE_TAG}){{0,{TAGS - 1}}}$"


def choose_claims(data: dict[str, Any]) -> dict[str, Any]:
    """The claims among the fields of a request."""
    return {field: data[field] for field in FIELDS if field in data}


class ClaimForm(Schema):
    """Fields of a form or a query: ``tags`` may be repeated, or hold several with commas."""

    licence = describe_writing(LICENCE_LENGTH)
    task = describe_writing(TASK_LENGTH)
    tags = List(
        String(
            validate=Writing(SEVERAL_TAGS, error="A tag is too long or has control characters.")
        ),
        validate=Length(max=TAGS),
    )
    base_model = describe_writing(BASE_LENGTH)


class ClaimChange(Schema):
    licence = describe_writing(LICENCE_LENGTH, allow_none=True)
    task = describe_writing(TASK_LENGTH, allow_none=True)
    tags = List(
        describe_writing(TAG_LENGTH, visible=True), allow_none=True, validate=Length(max=TAGS)
    )
    base_model = describe_writing(BASE_LENGTH, allow_none=True)


class RefusedRow(Schema):
    row = Integer()
    model = String()
    reason = String()


class ImportedClaims(Schema):
    applied = Integer()
    refused = List(Nested(RefusedRow))


class TagQuery(Schema):
    search = describe_writing(50, load_default="")
    limit = Integer(load_default=200, validate=Range(1, 1000))


class TagCount(Schema):
    tag = String()
    models = Integer()


class TagList(Schema):
    tags = List(Nested(TagCount))


class FacetShape(Schema):
    relations = Dict(keys=String(), values=Integer())
    statuses = Dict(keys=String(), values=Integer())
    licences = Dict(keys=String(), values=Integer())
    tags = Dict(keys=String(), values=Integer())
