"""The lake in distributions."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Float, Integer, List, Nested, String
from apiflask.validators import OneOf

from model_heritage_backend.routes.schemas.common import RELATIONS


class ArrivalCount(Schema):
    start = String(metadata={"example": "2026-11-21"})
    models = Integer()


class Arrivals(Schema):
    unit = String(validate=OneOf(("day", "month")))
    counts = List(Nested(ArrivalCount))


class FormatCount(Schema):
    format = String()
    models = Integer()
    bytes = Integer()


class FamilySizeCount(Schema):
    least = Integer()
    below = Integer(allow_none=True)
    families = Integer()


class ParameterCount(Schema):
    least = Integer()
    below = Integer()
    models = Integer()


class ConfidenceCount(Schema):
    least = Float()
    edges = Integer()
    expected_right = Float()


class CalibrationCount(Schema):
    edges = Integer()
    right = Integer()
    mean_confidence = Float(allow_none=True)


class StoredBytes(Schema):
    models = Integer()
    measured = Integer()
    bytes = Integer()
    saved_bytes = Integer()


class RelationBytes(StoredBytes):
    relation = String(validate=OneOf(RELATIONS))


class StorageShape(StoredBytes):
    relations = List(Nested(RelationBytes))


class LakeStatisticsShape(Schema):
    arrivals = Nested(Arrivals)
    formats = List(Nested(FormatCount))
    family_sizes = List(Nested(FamilySizeCount))
    parameters = List(Nested(ParameterCount))
    confidence = List(Nested(ConfidenceCount))
    calibration = List(Nested(CalibrationCount))
    storage = Nested(StorageShape)
