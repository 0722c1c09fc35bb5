"""What people say of models."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Dict, Integer, List, Nested, String
from apiflask.validators import Length, Range
from marshmallow import ValidationError

from model_heritage_backend.models.claims import FIELDS
from model_heritage_backend.weights.claims import (
    BASE_LENGTH,
    LICENCE_LENGTH,
    TAG_LENGTH,
    TAGS,
    TASK_LENGTH,
)


def is_plain(text: str) -> None:
    """Refuse what no database can be asked for: control characters, halves of surrogate pairs."""
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in text):
        raise ValidationError("Contains control characters.")


def choose_claims(data: dict[str, Any]) -> dict[str, Any]:
    """The claims among the fields of a request."""
    return {field: data[field] for field in FIELDS if field in data}


class ClaimForm(Schema):
    """Fields of a form or a query: ``tags`` may be repeated, or hold several with commas."""

    licence = String(validate=Length(max=LICENCE_LENGTH))
    task = String(validate=Length(max=TASK_LENGTH))
    tags = List(String(validate=Length(max=TAGS * (TAG_LENGTH + 2))), validate=Length(max=TAGS))
    base_model = String(validate=Length(max=BASE_LENGTH))


class ClaimChange(Schema):
    licence = String(allow_none=True, validate=Length(max=LICENCE_LENGTH))
    task = String(allow_none=True, validate=Length(max=TASK_LENGTH))
    tags = List(String(validate=Length(1, TAG_LENGTH)), allow_none=True, validate=Length(max=TAGS))
    base_model = String(allow_none=True, validate=Length(max=BASE_LENGTH))


class RefusedRow(Schema):
    row = Integer()
    model = String()
    reason = String()


class ImportedClaims(Schema):
    applied = Integer()
    refused = List(Nested(RefusedRow))


class TagQuery(Schema):
    search = String(load_default="", validate=[Length(max=50), is_plain])
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
