"""The OpenAPI document: whole, valid, and with examples that keep what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
PAGES = {"/api/openapi.json", "/api/docs", "/api/docs/start.js", "/api/docs/assets/{name}"}
"""What people look at; no part of the API."""


@pytest.fixture
def spec(app: APIFlask) -> dict[str, Any]:
    described: dict[str, Any] = app.test_client().get("/api/openapi.json").get_json()
    return described


def list_operations(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def resolve(spec: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = spec
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def list_responses(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, operation in list_operations(spec):
        for status, response in operation["responses"].items():
            yield name, status, resolve(spec, response)


def test_it_is_valid_openapi(spec: dict[str, Any]) -> None:
    assert spec["openapi"].startswith("3.1")
    assert [str(error)[:300] for error in OpenAPIV31SpecValidator(spec).iter_errors()] == []


def test_every_route_is_in_it(app: APIFlask, spec: dict[str, Any]) -> None:
    described = {name for name, _ in list_operations(spec)}
    there = set()
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
        if path.startswith("/api") and path not in PAGES:
            there |= {f"{method} {path}" for method in METHODS & (rule.methods or set())}
    assert described - {name for name in described if name.startswith(("HEAD", "OPTIONS"))} == there


def test_operations_say_what_they_do(spec: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in list_operations(spec)]
    assert len(names) == len(set(names))
    for name, operation in list_operations(spec):
        assert operation["summary"], name
        assert operation["tags"], name
        for parameter in (resolve(spec, part) for part in operation["parameters"]):
            schema = parameter["schema"]
            if parameter["in"] == "header":
                continue
            assert "nullable" not in schema, (name, parameter)
            if schema["type"] == "string" and "enum" not in schema:
                bounded = {"maxLength", "pattern", "format"} & set(schema)
                assert bounded, (name, parameter["name"])
            if schema["type"] == "integer":
                assert {"minimum", "maximum"} <= set(schema), (name, parameter["name"])


def test_errors_are_problems_and_everything_has_a_request_id(spec: dict[str, Any]) -> None:
    for name, status, response in list_responses(spec):
        assert response["description"], (name, status)
        assert "X-Request-Id" in response["headers"], (name, status)
        if status >= "400":
            assert set(response["content"]) == {"application/problem+json"}, (name, status)


def test_changes_and_reads_tell_their_conditions(spec: dict[str, Any]) -> None:
    for name, operation in list_operations(spec):
        sent = {resolve(spec, part)["name"] for part in operation["parameters"]}
        if name.startswith("GET"):
            assert "If-None-Match" in sent
            assert "304" in operation["responses"]
        elif not name.startswith(("HEAD", "OPTIONS")):
            assert "If-Match" in sent
            assert {"403", "412", "413", "503", "507"} <= set(operation["responses"])


def test_answers_of_success_say_what_they_hold(spec: dict[str, Any]) -> None:
    for name, status, response in list_responses(spec):
        if status in ("200", "201", "202", "206") and not name.startswith(("HEAD", "OPTIONS")):
            kinds = response.get("content", {})
            tus = "/uploads" in name
            assert kinds or tus, (name, status)
            for content in kinds.values():
                assert "schema" in content, (name, status)


def test_examples_keep_their_schemas(spec: dict[str, Any]) -> None:
    places = [(name, s, response.get("content", {})) for name, s, response in list_responses(spec)]
    for name, operation in list_operations(spec):
        body = operation.get("requestBody", {}).get("content", {})
        places.append((name, "body", {k: c for k, c in body.items() if k == "application/json"}))
    count = 0
    for name, place, contents in places:
        for kind, content in contents.items():
            if "json" not in kind:
                continue
            examples = [example["value"] for example in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            assert examples or content["schema"] == {"type": "object"}, (name, place)
            schema = content["schema"] | {"components": spec["components"]}
            for example in examples:
                errors = [e.message for e in Draft202012Validator(schema).iter_errors(example)]
                assert errors == [], (name, place)
                count += 1
    assert count > 100


def test_it_is_the_same_for_whoever_asks_first(app: APIFlask) -> None:
    client = app.test_client()
    described = client.get("/api/openapi.json", headers={"Host": "10.0.0.7:80"}).get_json()
    assert described["servers"] == [{"url": "/"}]
