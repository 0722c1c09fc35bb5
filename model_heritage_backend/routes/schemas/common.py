"""What several kinds of answers share: problems, models, families, edges, relatives."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, String
from apiflask.validators import OneOf

from model_heritage_backend.clustering import Relation

RELATIONS = tuple(relation.value for relation in Relation)


class Problem(Schema):
    type = String(metadata={"example": "/problems/not-found"})
    title = String()
    status = Integer()
    detail = String()
    request_id = String()


class EvidenceShape(Schema):
    delta_rank = Integer(allow_none=True)
    changed_tensors = Integer(allow_none=True)
    shared_tensors = Integer(allow_none=True)
    changed = List(String())
    flags = List(String())
    bits = Integer(allow_none=True)
    zero_fraction = Float(allow_none=True)
    relative_change = Float(allow_none=True)
    direction = Float(allow_none=True)
    signals = Dict(keys=String(), values=Float())
    runner_up = String(allow_none=True)
    margin = Float(allow_none=True)
    merge_method = String(allow_none=True)
    merge_parameters = Dict(keys=String(), values=Float())
    gradient = List(Float())
    merged = List(String())
    exact = Boolean()
    method = String()


class EdgeShape(Schema):
    parent = String()
    child = String()
    main = Boolean()
    relation = String(validate=OneOf(RELATIONS))
    coefficient = Float(allow_none=True)
    confidence = Float()
    distance = Float()
    resolved = Boolean()
    evidence = Nested(EvidenceShape)


class RunnerUp(Schema):
    id = String()
    name = String()
    confidence = Float()


class Relative(Schema):
    id = String()
    name = String()
    relation = String(allow_none=True)
    confidence = Float(allow_none=True)
    distance = Float(allow_none=True)
    coefficient = Float(allow_none=True)
    main = Boolean(allow_none=True)
    evidence = Nested(EvidenceShape, allow_none=True)
    reasons = List(String())
    runner_up = Nested(RunnerUp, allow_none=True)


class ModelShape(Schema):
    id = String()
    name = String()
    description = String()
    status = String(validate=OneOf(("processing", "ok", "error")))
    error = String(allow_none=True)
    filename = String()
    format = String()
    file_size = Integer()
    checksum = String()
    total_parameters = Integer()
    layer_count = Integer()
    structural_hash = String()
    dtypes = Dict(keys=String(), values=Integer())
    quality = List(String())
    family_id = String(allow_none=True)
    family_name = String(allow_none=True)
    family_size = Integer()
    parent_id = String(allow_none=True)
    parent_name = String(allow_none=True)
    relation = String(allow_none=True)
    confidence_score = Float(allow_none=True)
    is_root = Boolean()
    created_at = String()
    processed_at = String(allow_none=True)
    file_path = String()
    weights_uri = String()


class FamilyShape(Schema):
    id = String()
    name = String()
    size = Integer()
    root_id = String(allow_none=True)
    root_name = String(allow_none=True)
    root_confidence = Float()
    depth = Integer()
    leaf_count = Integer()
    unresolved_count = Integer()
    mean_confidence = Float(allow_none=True)
    avg_intra_distance = Float(allow_none=True)
    diameter = Float(allow_none=True)
    total_parameters = Integer()
    method = String()
    ghost_limit = String(allow_none=True)
    created_at = String()
    updated_at = String()
