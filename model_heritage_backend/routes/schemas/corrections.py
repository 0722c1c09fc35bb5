"""What people state, and the families that change with it."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import List, Nested, String
from apiflask.validators import Length, OneOf, Regexp

from model_heritage_backend.routes.schemas.common import FamilyShape, describe_writing
from model_heritage_backend.routes.schemas.families import Tree
from model_heritage_backend.services.corrections import AUTHOR_LENGTH, NAME_LENGTH, REASON_LENGTH

KINDS = ("confirm", "forbid", "root")
ID = Regexp(r"^[\x21-\x7e]{1,80}$", error="Not an id.")

AUTHOR = {"description": "Where access is not open, who is signed in counts instead"}


class Stated(Schema):
    author = describe_writing(AUTHOR_LENGTH, visible=True, required=True, metadata=AUTHOR)
    reason = describe_writing(REASON_LENGTH, lines=True, load_default="")


class ConstraintIn(Stated):
    kind = String(required=True, validate=OneOf(KINDS))
    parent = String(load_default=None, allow_none=True, validate=ID)


class ConstraintQuery(Schema):
    kind = String(required=True, validate=OneOf(KINDS))
    parent = String(load_default=None, validate=ID)
    author = describe_writing(AUTHOR_LENGTH, visible=True, load_default=None)


class RetractionQuery(Schema):
    author = describe_writing(AUTHOR_LENGTH, visible=True, load_default=None)


class SplitIn(Stated):
    models = List(String(validate=ID), required=True, validate=Length(1, 10_000))


class FamilyChange(Schema):
    name = describe_writing(NAME_LENGTH, visible=True, required=True, allow_none=True)
    author = describe_writing(AUTHOR_LENGTH, visible=True, load_default=None, allow_none=True)
    reason = describe_writing(REASON_LENGTH, lines=True, load_default="")


class NamedModel(Schema):
    id = String()
    name = String()


class ConstraintShape(Schema):
    id = String()
    kind = String(validate=OneOf((*KINDS, "split")))
    model = Nested(NamedModel, allow_none=True)
    parent = Nested(NamedModel, allow_none=True)
    models = List(Nested(NamedModel))
    others = List(Nested(NamedModel))
    author = String()
    reason = String()
    created_at = String(allow_none=True)


class ConstraintList(Schema):
    constraints = List(Nested(ConstraintShape))


class Corrected(Schema):
    constraint = Nested(ConstraintShape)
    families = List(Nested(FamilyShape))
    tree = Nested(Tree)
