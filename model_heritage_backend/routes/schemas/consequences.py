"""What follows from a model: descendants, recall reports, licences."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Float, List, Nested, String
from apiflask.validators import OneOf

from model_heritage_backend.licences import Restriction
from model_heritage_backend.routes.schemas.common import RELATIONS

RESTRICTIONS = OneOf(tuple(restriction.value for restriction in Restriction))


class Step(Schema):
    parent = String()
    child = String()
    parent_name = String()
    child_name = String()
    relation = String(validate=OneOf(RELATIONS))
    confidence = Float()


class ReachedShape(Schema):
    id = String()
    name = String()
    probability = Float()
    relation = String(validate=OneOf(RELATIONS))
    equal = Boolean()
    path = List(Nested(Step))


class Descendants(Schema):
    model_id = String()
    descendants = List(Nested(ReachedShape))


class DoubtShape(Schema):
    id = String()
    name = String()
    kind = String(validate=OneOf(("model", "ghost")))
    probability = Float(allow_none=True)
    reason = String()


class ImpactQuery(Schema):
    format = String(load_default=None, allow_none=True, validate=OneOf(("json", "csv")))


class ImpactShape(Schema):
    model_id = String()
    name = String()
    family_id = String(allow_none=True)
    summary = String()
    sure = List(Nested(ReachedShape))
    likely = List(Nested(ReachedShape))
    possible = List(Nested(ReachedShape))
    cannot_be_ruled_out = List(Nested(DoubtShape))


class InheritedShape(Schema):
    restriction = String(validate=RESTRICTIONS)
    licence = String()
    source = Nested(ReachedShape, data_key="from", attribute="source")


class UnknownLicence(Schema):
    licence = String(allow_none=True)
    source = Nested(ReachedShape, data_key="from", attribute="source")


class HeirShape(Schema):
    model = Nested(ReachedShape)
    licence = String(allow_none=True)
    dropped = List(String(validate=RESTRICTIONS), allow_none=True)


class LicenceShape(Schema):
    model_id = String()
    name = String()
    licence = String(allow_none=True)
    known = Boolean()
    restrictions = List(String(validate=RESTRICTIONS), allow_none=True)
    inherited = List(Nested(InheritedShape))
    unknown_above = List(Nested(UnknownLicence))
    heirs = List(Nested(HeirShape))
    summary = String()
    notice = String()
