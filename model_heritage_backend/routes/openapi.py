"""What holds for every route alike, written into the OpenAPI document.

A route tells its own: summary, schemas, the errors that are particular to it. Added here are ids,
what hooks may answer on any route, headers, conditional requests, examples and limits of ids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from apiflask.helpers import get_reason_phrase

from model_heritage_backend.routes.problems import MEDIA_TYPE, WORDS
from model_heritage_backend.routes.schemas.examples import JOB, MODEL, NAMES, compose_example

JSON = "application/json"
RAW_BODY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
STORED = "Stored; its place in the family tree is found by the job that is named"
WAITING = {
    "model_id": MODEL,
    "job_id": JOB,
    "status": "processing",
    "message": "The file is stored safely; its family is being looked for.",
    "signature_preview": {
        "total_parameters": 50_890,
        "layer_count": 4,
        "structural_hash": "8d0f13579bdf0246",
    },
}
ABOUT = """The genealogy of neural networks, read from their weights.

Errors are RFC 9457 problems with a stable `type`. Every answer has `X-Request-Id`; the log's lines
have the same id. Every GET may be asked as HEAD. What GET answers has an `ETag`: `If-None-Match`
saves sending it again, and `If-Match` on a change makes sure that it was seen. Numbers that are not
known are null, never NaN. Times are ISO 8601 in UTC with `Z`."""
CHANGES = ("post", "put", "patch", "delete")
ID_LENGTH = 80
LARGEST_NUMBER = 2**31 - 1
HOOKS = ("403", "412", "413", "503", "507")
"""What any change may be answered: foreign pages, If-Match, size of bodies, busy, disk full."""
PARAMETERS: Mapping[str, str] = {
    "model_id": "A model's id",
    "other_id": "Another model's id",
    "family_id": "A family's id",
    "job_id": "A job's id",
    "limit": "How many at most",
    "cursor": "`next_cursor` of the page before; only with the same sort and filters",
    "search": "Text in the name, whatever its case",
    "sort": "By what, `-` for descending",
    "family": "Only of this family",
    "status": "Only in this status",
    "relation": "Only of this relation to the parent; `root` for the roots of families",
    "name": "The model's name; without it, the file's without its ending",
    "filename": "The file's name",
    "description": "What people should know of it",
    "format": "The kind of file",
}
HEADERS: Mapping[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "This request's name, also in problems and in the server's log",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "ETag": {"description": "The tag of these bytes", "schema": {"type": "string"}},
    "Location": {
        "description": "Where to find what was made, or the job that makes it",
        "schema": {"type": "string", "pattern": "^/api/"},
    },
    "Link": {"description": "The next page: `rel=next`", "schema": {"type": "string"}},
    "WWW-Authenticate": {
        "description": "How to say who you are",
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}},
    "Preference-Applied": {
        "description": "That `Prefer` was followed",
        "schema": {"type": "string"},
    },
}
SHARED: Mapping[str, dict[str, Any]] = {
    "IfNoneMatch": {
        "in": "header",
        "name": "If-None-Match",
        "description": "Tags of what is known: 304 without a body while one of them holds",
        "schema": {"type": "string"},
    },
    "IfMatch": {
        "in": "header",
        "name": "If-Match",
        "description": "Tags of what GET answered here: 412 when none of them holds any more",
        "schema": {"type": "string"},
    },
    "Prefer": {
        "in": "header",
        "name": "Prefer",
        "description": "`respond-async`: do not wait for the place in the tree, answer 202",
        "schema": {"type": "string"},
    },
}


def complete_specification(spec: dict[str, Any]) -> dict[str, Any]:
    """Fill in what no route says of itself; changes ``spec`` and gives it back."""
    spec["info"]["description"] = ABOUT
    components = spec["components"]
    components["headers"] = {name: dict(header) for name, header in HEADERS.items()}
    components["parameters"] = {name: dict(shared) for name, shared in SHARED.items()}
    components["responses"] = {}
    # Rooms may share a tag.
    spec["tags"] = list({tag["name"]: tag for tag in spec["tags"]}.values())
    _describe_uploads(spec["paths"])
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            # By the path, as an alias shares its function with what it stands for.
            words = re.sub(r"[^a-z0-9]+", " ", path.removeprefix("/api")).split()
            operation["operationId"] = "_".join([method, *words])
            _describe_parameters(operation)
            _describe_body(method, operation, components["schemas"])
            _add_conditions(method, operation)
            _complete_accepted(operation["responses"])
            for status, response in operation["responses"].items():
                _describe_response(method, status, response, components["schemas"])
            _share_problems(operation["responses"], components)
    return spec


def _describe_uploads(paths: dict[str, Any]) -> None:
    uploads = paths["/api/models"]
    uploads["put"]["requestBody"] = {"required": True, "content": RAW_BODY}
    for method in ("post", "put"):
        responses = uploads[method]["responses"]
        schema = responses["201"]["content"][JSON]["schema"]
        content = {JSON: {"schema": schema, "example": WAITING}}
        responses["202"] = {"description": STORED, "content": content}
        uploads[method]["parameters"].append({"$ref": "#/components/parameters/Prefer"})


def _describe_parameters(operation: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        if "$ref" in parameter:
            continue
        name, schema = parameter["name"], parameter.setdefault("schema", {})
        if parameter["in"] == "path" and schema.get("type") == "string":
            schema |= {"minLength": 1, "maxLength": ID_LENGTH}
        elif parameter["in"] == "path" and schema.get("type") == "integer":
            schema |= {"minimum": 1, "maximum": LARGEST_NUMBER}
        # A query cannot say null: what is left out is not given.
        schema.pop("nullable", None)
        if schema.get("default", ...) is None:
            del schema["default"]
        if "enum" in schema:
            schema["enum"] = [value for value in schema["enum"] if value is not None]
        if name in PARAMETERS:
            parameter.setdefault("description", PARAMETERS[name])
        if name in NAMES and "enum" not in schema and "example" not in schema:
            parameter.setdefault("example", NAMES[name])


def _describe_body(method: str, operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    body = operation.get("requestBody")
    if body is None:
        return
    for media_type, content in body["content"].items():
        schema = content.get("schema", {})
        if method == "patch" or _resolve(schema, schemas).get("required"):
            body["required"] = True
        if media_type == JSON:
            content.setdefault("example", compose_example(schema, schemas))
            operation["responses"].setdefault("415", {})


def _add_conditions(method: str, operation: dict[str, Any]) -> None:
    """Conditional requests, and what hooks may answer."""
    responses = operation["responses"]
    if method == "get":
        operation["parameters"].append({"$ref": "#/components/parameters/IfNoneMatch"})
        responses.setdefault("304", {"description": "Nothing has changed"})
    elif method in CHANGES:
        operation["parameters"].append({"$ref": "#/components/parameters/IfMatch"})
        for status in HOOKS:
            responses.setdefault(status, {})


def _complete_accepted(responses: dict[str, Any]) -> None:
    """What takes too long is answered in the same form, with a job."""
    if "202" in responses and not responses["202"].get("content", {}).get(JSON, {}).get("schema"):
        done: dict[str, Any] = next((responses[s] for s in ("200", "201") if s in responses), {})
        responses["202"]["content"] = {kind: dict(c) for kind, c in done["content"].items()}


def _describe_response(
    method: str, status: str, response: dict[str, Any], schemas: Mapping[str, Any]
) -> None:
    content = response.get("content", {})
    headers = response.setdefault("headers", {})
    _refer(headers, "X-Request-Id")
    if status in ("200", "304") and method == "get":
        _refer(headers, "ETag")
    if status in ("201", "202"):
        _refer(headers, "Location")
    if status == "202":
        _refer(headers, "Preference-Applied")
    if status == "401":
        _refer(headers, "WWW-Authenticate")
    if status in ("429", "503"):
        _refer(headers, "Retry-After")
    if status < "400" and JSON in content and "examples" not in content[JSON]:
        schema = content[JSON].setdefault("schema", {})
        if "next_cursor" in _resolve(schema, schemas).get("properties", {}):
            _refer(headers, "Link")
        content[JSON].setdefault("example", compose_example(schema, schemas))
    if not response.get("description"):
        response["description"] = _get_words(status)[1]


def _resolve(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schemas.get(schema.get("$ref", "").rsplit("/", 1)[-1], schema)
    return found


def _get_words(status: str) -> tuple[str, str]:
    """Type and title of the most common problem of this status."""
    return WORDS.get(int(status)) or ("error", get_reason_phrase(int(status), f"Status {status}"))


def _refer(headers: dict[str, Any], name: str) -> None:
    headers.setdefault(name, {"$ref": f"#/components/headers/{name}"})


def _share_problems(responses: dict[str, Any], components: dict[str, Any]) -> None:
    """Errors are problem documents, by their media type too; said once for each status."""
    for status, response in responses.items():
        if status < "400":
            continue
        type_, title = _get_words(status)
        example = {
            "type": f"/problems/{type_}",
            "title": title,
            "status": int(status),
            "detail": f"{title}.",
            "request_id": NAMES["request_id"],
        }
        shared = response | {
            "description": title,
            "content": {
                MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
            },
        }
        name = f"Problem{status}"
        components["responses"].setdefault(name, shared)
        phrases = (title, get_reason_phrase(int(status), ""), "Validation error", "Not found")
        if response["description"] in phrases and response["headers"] == shared["headers"]:
            responses[status] = {"$ref": f"#/components/responses/{name}"}
        else:
            response["content"] = shared["content"]
