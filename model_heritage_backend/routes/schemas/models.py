"""Models: lists, uploads, detail, comparison."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from apiflask import Schema
from apiflask.fields import (
    AwareDateTime,
    Boolean,
    Dict,
    File,
    Float,
    Integer,
    List,
    Nested,
    String,
)
from apiflask.validators import Length, OneOf, Range
from marshmallow import EXCLUDE, ValidationError, post_load

from model_heritage_backend.clustering.kinship import KINSHIPS
from model_heritage_backend.models.model_filters import ModelFilter
from model_heritage_backend.models.paging import LARGEST_INTEGER, SORTS
from model_heritage_backend.routes.schemas.claims import ClaimChange, ClaimForm
from model_heritage_backend.routes.schemas.common import (
    RELATIONS,
    Candidate,
    EdgeShape,
    FamilyShape,
    Kin,
    ModelShape,
    Relative,
    describe_writing,
)
from model_heritage_backend.weights.claims import TAG_LENGTH, TAGS


def _is_in_range(time: datetime) -> None:
    """Zones move the first and last hours of the calendar out of it."""
    try:
        time.astimezone(UTC)
    except OverflowError:
        raise ValidationError("Not a valid datetime.") from None


def _build_time() -> AwareDateTime:
    return AwareDateTime(
        format="iso",
        default_timezone=UTC,
        load_default=None,
        allow_none=True,
        validate=_is_in_range,
    )


class ModelFilterQuery(Schema):
    search = describe_writing(200, load_default="")
    family = describe_writing(80, load_default=None, allow_none=True)
    status = String(
        load_default=None, allow_none=True, validate=OneOf(("processing", "ok", "error"))
    )
    relation = String(
        load_default=None, allow_none=True, validate=OneOf((*RELATIONS, "root", "leaf"))
    )
    parameters_min = Integer(load_default=None, allow_none=True, validate=Range(0, LARGEST_INTEGER))
    parameters_max = Integer(load_default=None, allow_none=True, validate=Range(0, LARGEST_INTEGER))
    created_after = _build_time()
    created_before = _build_time()
    tag = List(
        describe_writing(TAG_LENGTH, visible=True),
        load_default=[],
        validate=Length(max=TAGS),
    )
    licence = describe_writing(200, visible=True, load_default=None, allow_none=True)
    conflict = Boolean(
        load_default=None, allow_none=True, truthy={"true", "1"}, falsy={"false", "0"}
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The filter under ``wanted``, what else there is beside it."""
        names = {field.name for field in fields(ModelFilter)}
        wanted = {name: value for name, value in data.items() if name in names}
        others = {name: value for name, value in data.items() if name not in {*names, "tag"}}
        return {"wanted": ModelFilter(tags=tuple(data["tag"]), **wanted), **others}


class ModelListQuery(ModelFilterQuery):
    sort = String(load_default="name", validate=OneOf(tuple(SORTS)))
    limit = Integer(load_default=50, validate=Range(1, 200))
    cursor = String(load_default=None, allow_none=True, validate=Length(max=2000))


class IdentifyForm(Schema):
    class Meta:
        unknown = EXCLUDE

    file = File(required=True)  # type: ignore[no-untyped-call]  # (the library's)


class UploadForm(ClaimForm, IdentifyForm):
    name = describe_writing(200, load_default="")
    description = describe_writing(5000, lines=True, load_default="")


class UploadQuery(ClaimForm):
    name = describe_writing(200, load_default="")
    filename = describe_writing(255, load_default="")
    description = describe_writing(5000, lines=True, load_default="")


class ModelChange(ClaimChange):
    name = describe_writing(200, visible=True)
    description = describe_writing(5000, lines=True)


class Lineage(Schema):
    parent = Nested(Kin, allow_none=True)
    other_parents = List(Nested(Kin))
    children = List(Nested(Kin))


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
    candidates = List(Nested(Candidate))
    children = List(Nested(Candidate))
