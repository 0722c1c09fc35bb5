"""Resumable uploads: headers, bodies, answers."""

from __future__ import annotations

import copy
import re
from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp
from marshmallow import ValidationError, validates_schema

from model_heritage_backend.models.reception import UploadState
from model_heritage_backend.routes.schemas.claims import ClaimChange
from model_heritage_backend.routes.schemas.common import Problem
from model_heritage_backend.routes.tus import BYTES, TUS_HEADERS, VERSION

LARGEST = 2**63 - 1
HEADER_LENGTH = 8190
DIGITS = re.compile(r"[0-9]{1,19}")


class Count(Integer):
    """A number of bytes in a header: digits, nothing else."""

    def __init__(self, **more: Any) -> None:
        super().__init__(validate=Range(0, LARGEST), **more)

    def _deserialize(self, value: Any, *args: Any, **more: Any) -> Any:
        if not DIGITS.fullmatch(str(value)):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, *args, **more)


class TusHeaders(Schema):
    # Another version is answered with 412 before this is looked at.
    version = String(required=True, data_key="Tus-Resumable", validate=OneOf((VERSION,)))


class AppendHeaders(TusHeaders):
    offset = Count(required=True, data_key="Upload-Offset")
    checksum = String(
        data_key="Upload-Checksum",
        load_default="",
        validate=Length(max=HEADER_LENGTH),
        metadata={"description": "sha1 or sha256, a space, the digest of this body in base64"},
    )


class CreateHeaders(TusHeaders):
    length = Count(required=True, data_key="Upload-Length")
    metadata = String(
        data_key="Upload-Metadata",
        load_default="",
        validate=Length(max=HEADER_LENGTH),
        metadata={
            "description": "Pairs of a key and its text in base64, separated by commas: filename, "
            "name, description; part (1) for a file that waits for the others of its model",
            "example": "filename YmFzZS5zYWZldGVuc29ycw==,name YmFzZQ==",
        },
    )
    checksum = AppendHeaders().fields["checksum"]


class UploadShape(Schema):
    id = String()
    filename = String()
    name = String()
    offset = Integer()
    length = Integer()
    state = String(validate=OneOf([state.value for state in UploadState]))
    model_id = String(allow_none=True)
    job_id = String(allow_none=True)
    existing_id = String(allow_none=True)
    problem = Nested(Problem, allow_none=True)
    expires_at = String()


class Join(ClaimChange):
    uploads = List(
        String(validate=Regexp(r"^u_[0-9a-f]{32}$")),
        required=True,
        validate=Length(min=1, max=100),
        metadata={"uniqueItems": True},
    )
    name = String(load_default="")
    description = String(load_default="")

    @validates_schema
    def _refuse_repetition(self, data: dict[str, Any], **_: Any) -> None:
        uploads = data.get("uploads", [])
        if len(set(uploads)) < len(uploads):
            raise ValidationError("An upload is named twice.", "uploads")


def describe_resumable_uploads(paths: dict[str, Any]) -> None:
    """What the schemas cannot say: bodies of bytes, headers of answers, HEAD and OPTIONS."""
    every, one = paths["/api/uploads"], paths["/api/uploads/{upload_id}"]
    body = {"content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}}
    every["post"]["requestBody"] = body
    one["patch"]["requestBody"] = body | {"required": True}
    every["post"]["responses"]["201"] = {"description": "Announced"}
    one["get"]["responses"]["200"]["headers"] = _describe_headers(
        "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires"
    )
    answers = _describe_headers("Upload-Offset", "Upload-Expires", "Upload-Model", "Upload-Job")
    one["patch"]["responses"]["204"]["headers"] = answers
    every["post"]["responses"]["201"]["headers"] = answers | _describe_headers("Location")
    for operations in (every, one):
        for operation in operations.values():
            if "460" in operation["responses"]:
                operation["responses"]["460"]["description"] = "Checksum Mismatch"
    head = copy.deepcopy(one["get"])
    head["summary"] = "The offset that an upload stands at"
    head["parameters"] += [p for p in one["delete"]["parameters"] if p["in"] == "header"]
    head["responses"] = {
        "200": {k: v for k, v in head["responses"]["200"].items() if k != "content"},
        "404": {"description": "Not Found"},
        "412": {"description": "Precondition Failed"},
    }
    one["head"] = head
    every["options"] = {
        "summary": "What of the tus protocol is spoken here",
        "tags": every["post"]["tags"],
        "parameters": [],
        "responses": {
            "200": {
                "description": "In the headers",
                "headers": _describe_headers(*(n for n in TUS_HEADERS if n.startswith("Tus-"))),
            }
        },
    }
    joined = paths["/api/uploads/complete"]["post"]["responses"]
    joined["202"] = joined["201"] | {
        "description": "Stored; its place in the family tree is found by the job that is named"
    }


def _describe_headers(*names: str) -> dict[str, Any]:
    return {name: {"schema": {"type": "string"}} for name in names}
