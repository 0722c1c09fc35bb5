"""Genealogies as files and in a graph database."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Integer, String
from apiflask.validators import OneOf, Regexp

from model_heritage_backend.interop.export import FORMATS

IDENTIFIER = Regexp(r"^[\x21-\x7e]{1,80}$", error="This is not an id.")


class FamilyQuery(Schema):
    family = String(load_default=None, allow_none=True, validate=IDENTIFIER)


class ExportQuery(FamilyQuery):
    format = String(load_default="json", validate=OneOf(tuple(FORMATS)))
    model = String(load_default=None, allow_none=True, validate=IDENTIFIER)


class Pushed(Schema):
    families = Integer()
    models = Integer()
    edges = Integer()
