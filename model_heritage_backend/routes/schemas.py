"""What requests may hold and what answers look like: checked, and the source of OpenAPI."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, File, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from marshmallow import EXCLUDE

from model_heritage_backend.clustering import Relation
from model_heritage_backend.models.paging import SORTS

RELATIONS = tuple(relation.value for relation in Relation)
FORMATS = ("json", "graphml", "dot")


class Problem(Schema):
    type = String(metadata={"example": "/problems/not-found"})
    title = String()
    status = Integer()
    detail = String()
    request_id = String()


class ModelListQuery(Schema):
    search = String(load_default="", validate=Length(max=200))
    family = String(load_default=None, allow_none=True, validate=Length(max=80))
    status = String(
        load_default=None, allow_none=True, validate=OneOf(("processing", "ok", "error"))
    )
    relation = String(load_default=None, allow_none=True, validate=OneOf((*RELATIONS, "root")))
    sort = String(load_default="name", validate=OneOf(tuple(SORTS)))
    limit = Integer(load_default=50, validate=Range(1, 200))
    cursor = String(load_default=None, allow_none=True, validate=Length(max=2000))


class IdentifyForm(Schema):
    class Meta:
        unknown = EXCLUDE

    file = File(required=True)  # type: ignore[no-untyped-call]  # (the library's)


class UploadForm(IdentifyForm):
    name = String(load_default="")
    description = String(load_default="")


class UploadQuery(Schema):
    name = String(load_default="")
    filename = String(load_default="")
    description = String(load_default="")


class ModelChange(Schema):
    name = String()
    description = String()


class ExportQuery(Schema):
    format = String(load_default="json", validate=OneOf(FORMATS))
    family = String(load_default=None, allow_none=True, validate=Length(max=80))


class JobListQuery(Schema):
    limit = Integer(load_default=100, validate=Range(1, 200))


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


class Relative(Schema):
    id = String()
    name = String()
    relation = String(allow_none=True)
    confidence = Float(allow_none=True)
    distance = Float(allow_none=True)
    coefficient = Float(allow_none=True)
    main = Boolean(allow_none=True)
    evidence = Nested(EvidenceShape, allow_none=True)


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


class Lineage(Schema):
    parent = Nested(Relative, allow_none=True)
    other_parents = List(Nested(Relative))
    children = List(Nested(Relative))


class ModelDetail(ModelShape):
    lineage = Nested(Lineage)


class FullLineage(Lineage):
    model_id = String()
    family_id = String(allow_none=True)
    siblings = List(Nested(Relative))
    ancestors = List(Nested(Relative))
    descendants = List(Nested(Relative))


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


class GhostShape(Schema):
    id = String()
    children = List(String())
    confidence = Float()
    parent = String(allow_none=True)
    distances = List(Float())


class Tree(Schema):
    family_id = String()
    method = String()
    root_id = String(allow_none=True)
    nodes = List(Nested(ModelShape))
    edges = List(Nested(EdgeShape))
    ghosts = List(Nested(GhostShape))


class SignaturePreview(Schema):
    total_parameters = Integer()
    layer_count = Integer()
    structural_hash = String()


class Placed(Schema):
    model_id = String()
    job_id = String()
    status = String()
    message = String()
    model = Nested(ModelShape)
    family = Nested(FamilyShape, allow_none=True)
    family_id = String(allow_none=True)
    parent_id = String(allow_none=True)
    relation = String(allow_none=True)
    parent_confidence = Float(allow_none=True)
    edge = Nested(EdgeShape, allow_none=True)
    signature_preview = Nested(SignaturePreview)


class ModelList(Schema):
    models = List(Nested(ModelShape))
    total = Integer()
    next_cursor = String(allow_none=True)


class FamilyList(Schema):
    families = List(Nested(FamilyShape))
    total = Integer()


class FamilyModels(Schema):
    family_id = String()
    models = List(Nested(ModelShape))


class Genealogy(Schema):
    family = Nested(FamilyShape)
    models = List(Nested(ModelShape))
    tree = Nested(Tree)
    statistics = Dict()


class Rebuilt(Schema):
    family_id = String()
    job_id = String()
    status = String()
    models_updated = Integer()
    tree_statistics = Dict()


class Queued(Schema):
    job_id = String()
    status = String()


class JobShape(Schema):
    id = String()
    kind = String()
    state = String()
    stage = String()
    progress = Float()
    model_id = String(allow_none=True)
    family_id = String(allow_none=True)
    error = String(allow_none=True)
    result = Dict(allow_none=True)
    created_at = String()
    started_at = String(allow_none=True)
    finished_at = String(allow_none=True)


class JobList(Schema):
    jobs = List(Nested(JobShape))
    total = Integer()


class ComparedTensor(Schema):
    name = String()
    shape = List(Integer(), allow_none=True)
    other_shape = List(Integer(), allow_none=True)
    distance = Float(allow_none=True)
    relative_change = Float(allow_none=True)
    cosine = Float(allow_none=True)
    equal = Float(allow_none=True)
    delta_rank = Integer(allow_none=True)
    status = String()


class Comparison(Schema):
    model_id = String()
    other_id = String()
    related = Boolean()
    summary = String()
    distance = Float(allow_none=True)
    relation_evidence = Dict(allow_none=True)
    tensors = List(Nested(ComparedTensor))


class Identified(Schema):
    family_id = String(allow_none=True)
    family_name = String(allow_none=True)
    parent_id = String(allow_none=True)
    relation = String(allow_none=True)
    confidence = Float(allow_none=True)
    existing_id = String(allow_none=True)
    candidates = List(Nested(Relative))
    children = List(Nested(Relative))


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


class Statistics(Schema):
    statistics = Dict()


class SystemTotals(Schema):
    total_families = Integer()
    total_models = Integer()
    total_lineage_edges = Integer()
    avg_family_cohesion = Float(allow_none=True)


class SystemStats(Schema):
    system_stats = Nested(SystemTotals)


class Health(Schema):
    status = String()
    version = String()
    database = String()
