from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from model_heritage_backend.config import PROJECT

METHOD = re.compile(r"(GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE) ?(.*)")


def list_documented() -> set[tuple[str, str]]:
    """(method, path) of every request in docs/api.md; parameters as ``{}``."""
    found = set()
    for line in (PROJECT / "docs" / "api.md").read_text().splitlines():
        if not line.startswith("| `"):
            continue
        method = ""
        for part in re.findall(r"`([^`]+)`", re.split(r"(?<!\\)\|", line)[1]):
            matched = METHOD.fullmatch(part)
            if matched:
                method, part = matched.groups()
            if part.startswith("/"):
                path = re.split(r"[? ]", part)[0]
                found.add((method.lower(), re.sub(r"{\w+}", "{}", path)))
    return found


@pytest.fixture
def spec(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.get_json() == client.get("/api/openapi.json").get_json()
    described: dict[str, Any] = answer.get_json()
    return described


def test_every_documented_request_is_described(spec: dict[str, Any]) -> None:
    described = {
        (method, re.sub(r"{\w+}", "{}", path.removeprefix("/api")))
        for path, operations in spec["paths"].items()
        for method in operations
    }
    documented = list_documented()
    assert len(documented) > 25
    assert documented == described


def test_upload_bodies_are_described(spec: dict[str, Any]) -> None:
    operations = spec["paths"]["/api/models"]
    assert "application/octet-stream" in operations["put"]["requestBody"]["content"]
    assert "multipart/form-data" in operations["post"]["requestBody"]["content"]
    assert "202" in operations["post"]["responses"]


def test_the_page_works_offline(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    assert "://" not in page
    own = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(own) == 4
    for path in own:
        with client.get(path) as answer:
            assert answer.status_code == 200
    # The page's policy forbids scripts that stand in it.
    assert re.findall(r"<script[^>]*>([^<]+)", page) == []
