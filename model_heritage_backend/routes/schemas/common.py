"""What several kinds of answers share: problems, models, families, edges, relatives."""

from __future__ import annotations

import re
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Regexp
from marshmallow import INCLUDE, ValidationError

from model_heritage_backend.clustering import Relation

RELATIONS = tuple(relation.value for relation in Relation)


Responses = dict[int | str, Any]
LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
VISIBLE = r"^\s*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
"""Something that can be seen; the pattern takes time in proportion to the text."""
CONTROL_CHARACTERS = "It contains control characters."
INVISIBLE = "It must have characters, and no control characters."
SURROGATE = re.compile("[\ud800-\udfff]")


class Writing(Regexp):
    """Text of one pattern as a whole, which JSON and databases can say: no halves of surrogate
    pairs, which JSON's escapes allow."""

    def __init__(self, pattern: str, *, error: str) -> None:
        super().__init__(pattern, error=error)
        self._whole = re.compile(pattern)

    def __call__(self, value: Any) -> Any:
        if not self._whole.fullmatch(value) or SURROGATE.search(value):
            raise ValidationError(self._format_error(value))
        return value


def describe_writing(
    length: int, *, lines: bool = False, visible: bool = False, **options: Any
) -> String:
    """A field for text that people type: bounded, and without control characters.

    Parameters
    ----------
    length : characters at most
    lines : whether line breaks and tabs may occur
    visible : whether there must be something to see
    options : of the field
    """
    if visible:
        rules = [Length(1, length), Writing(VISIBLE, error=INVISIBLE)]
    else:
        rules = [Length(max=length), Writing(LINES if lines else LINE, error=CONTROL_CHARACTERS)]
    return String(validate=rules, **options)


def describe_text(description: str, *media_types: str) -> dict[str, Any]:
    """For ``responses={200: ...}``: an answer that is text of one of these kinds."""
    schema = {"type": "string"}
    return {
        "description": description,
        "content": {kind: {"schema": schema} for kind in media_types},
    }


def describe_bytes(description: str) -> dict[str, Any]:
    """For ``responses={200: ...}``: an answer that is a file, of which ranges may be had."""
    schema = {"type": "string", "format": "binary"}
    return {
        "description": description,
        "content": {"application/octet-stream": {"schema": schema}},
        "headers": {"Accept-Ranges": {"schema": {"type": "string", "enum": ["bytes"]}}},
    }


class Problem(Schema):
    """RFC 9457; some types have members of their own."""

    class Meta:
        unknown = INCLUDE

    type = String(required=True)
    title = String(required=True)
    status = Integer(required=True)
    detail = String(required=True)
    request_id = String(required=True)
    errors = Dict(metadata={"description": "Of each part of the request, what is wrong in it"})


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
    stated_by = String(allow_none=True)


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


class Candidate(Relative):
    """A possible parent; a runner-up has no relation."""

    confidence = Float()


class Kin(Candidate):
    """Joined by an edge."""

    relation = String(validate=OneOf(RELATIONS))
    distance = Float()
    main = Boolean()
    evidence = Nested(EvidenceShape)


class DeclaredShape(Schema):
    licence = String(allow_none=True)
    task = String(allow_none=True)
    tags = List(String())
    base_model = String(allow_none=True)
    base_model_id = String(allow_none=True)
    source = Dict(keys=String(), values=String(validate=OneOf(("person", "file"))))


class ConflictShape(Schema):
    kind = String(validate=OneOf(("base_model", "licence")))
    detail = String()


class OwnerShape(Schema):
    """Who brought a model: a user, or a token without a user."""

    id = String()
    name = String(allow_none=True, metadata={"description": "null when they are gone"})


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
    owner = Nested(OwnerShape, allow_none=True)
    created_at = String()
    processed_at = String(allow_none=True)
    file_path = String()
    weights_uri = String()
    declared = Nested(DeclaredShape)
    conflicts = List(Nested(ConflictShape))


class FamilyShape(Schema):
    id = String()
    name = String()
    given_name = String(allow_none=True)
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
