"""The types of the user interface, held against the OpenAPI document by its own compiler."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient

FRONT_END = Path(__file__).resolve().parents[1] / "model_heritage_frontend"


def _check(document: object) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    if node is None or not (FRONT_END / "node_modules" / "typescript").exists():
        pytest.skip("the user interface is not installed")
    return subprocess.run(
        [node, "scripts/check-types.mjs"],
        cwd=FRONT_END,
        input=json.dumps(document),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_pages_expect_what_the_server_sends(client: FlaskClient) -> None:
    done = _check(client.get("/api/openapi.json").get_json())
    assert done.returncode == 0, done.stderr


def test_what_the_server_no_longer_sends_is_noticed(client: FlaskClient) -> None:
    document = client.get("/api/openapi.json").get_json()
    shapes = document["components"]["schemas"]
    del shapes["Totals"]["properties"]["total_edges"]
    shapes["Health"]["properties"]["version"]["type"] = ["string", "null"]
    done = _check(document)
    assert done.returncode == 1
    assert "Stats.total_edges: the server does not send it" in done.stderr
    assert "Health.version: may be null" in done.stderr
