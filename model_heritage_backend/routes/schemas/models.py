"""Models: lists, uploads, detail, comparison."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, File, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from marshmallow import EXCLUDE

from model_heritage_backend.clustering.kinship import KINSHIPS
from model_heritage_backend.models.paging import SORTS
from model_heritage_backend.routes.schemas.common import (
    RELATIONS,
    EdgeShape,
    FamilyShape,
    ModelShape,
    Relative,
)


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


class ComparedTensor(Schema):
    name = String()
    layer = Integer(allow_none=True)
    kind = String()
    shape = List(Integer(), allow_none=True)
    other_shape = List(Integer(), allow_none=True)
    norm = Float(allow_none=True)
    distance = Float(allow_none=True)
    relative_change = Float(allow_none=True)
    cosine = Float(allow_none=True)
    equal = Float(allow_none=True)
    delta_rank = Integer(allow_none=True)
    status = String()
    verdict = String()


class ComparedLayer(Schema):
    layer = Integer(allow_none=True)
    tensors = Integer()
    changed = Integer()
    relative_change = Float(allow_none=True)


class ComparedKind(Schema):
    kind = String()
    tensors = Integer()
    changed = Integer()
    relative_change = Float(allow_none=True)


class KinshipShape(Schema):
    kind = String(validate=OneOf(KINSHIPS))
    path = List(String())
    confidence = Float(allow_none=True)
    relation = String(allow_none=True)
    reasons = List(String())


class Comparison(Schema):
    model_id = String()
    other_id = String()
    related = Boolean()
    summary = String()
    distance = Float(allow_none=True)
    relation_evidence = Dict(allow_none=True)
    kinship = Nested(KinshipShape)
    layers = List(Nested(ComparedLayer))
    kinds = List(Nested(ComparedKind))
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
