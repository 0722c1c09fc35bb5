"""What people state, and the families that change with it."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import List, Nested, String
from apiflask.validators import Length, OneOf, Regexp

from model_heritage_backend.routes.schemas.common import FamilyShape
from model_heritage_backend.routes.schemas.families import Tree
from model_heritage_backend.services.corrections import AUTHOR_LENGTH, NAME_LENGTH, REASON_LENGTH

KINDS = ("confirm", "forbid", "root")
ID = Regexp(r"^[\x21-\x7e]{1,80}$", error="Not an id.")


class Stated(Schema):
    author = String(required=True, validate=Length(1, AUTHOR_LENGTH))
    reason = String(load_default="", validate=Length(max=REASON_LENGTH))


class ConstraintIn(Stated):
    kind = String(required=True, validate=OneOf(KINDS))
    parent = String(load_default=None, allow_none=True, validate=ID)


class ConstraintQuery(Schema):
    kind = String(required=True, validate=OneOf(KINDS))
    parent = String(load_default=None, validate=ID)
    author = String(load_default=None, validate=Length(1, AUTHOR_LENGTH))


class RetractionQuery(Schema):
    author = String(load_default=None, validate=Length(1, AUTHOR_LENGTH))


class SplitIn(Stated):
    models = List(String(validate=ID), required=True, validate=Length(1, 10_000))


class FamilyChange(Schema):
    name = String(required=True, allow_none=True, validate=Length(1, NAME_LENGTH))
    author = String(load_default=None, allow_none=True, validate=Length(1, AUTHOR_LENGTH))
    reason = String(load_default="", validate=Length(max=REASON_LENGTH))


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
