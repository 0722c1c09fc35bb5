"""The lake as a whole."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Dict, Float, Integer, List, Nested, String

from model_heritage_backend.routes.schemas.common import FamilyShape


class Totals(Schema):
    total_models = Integer()
    total_families = Integer()
    total_parameters = Integer()
    total_bytes = Integer()
    total_edges = Integer()
    resolved_edges = Integer()
    processing = Integer()
    errors = Integer()
    relations = Dict(keys=String(), values=Integer())
    mean_confidence = Float(allow_none=True)
    largest_families = List(Nested(FamilyShape))


class SystemTotals(Schema):
    total_families = Integer()
    total_models = Integer()
    total_lineage_edges = Integer()
    avg_family_cohesion = Float(allow_none=True)


class SystemStats(Schema):
    system_stats = Nested(SystemTotals)
