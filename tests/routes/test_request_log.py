from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask

from benchmarks.zoo import Zoo
from model_heritage_backend.services.access import Role
from tests.served import MakeApp, get_service, upload


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def app(make_app: MakeApp, log: Path) -> APIFlask:
    return make_app(log_file=log, log_format="json", access="token", slow_request_seconds=0.05)


def read(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_one_line_for_each_request(app: APIFlask, log: Path) -> None:
    access = get_service(app).access
    name = "Ada's\nlaptop"
    _, text = access.create(name.replace("\n", " "), Role.ADMIN, days=1)
    client = app.test_client()
    bearer = {"Authorization": f"Bearer {text}"}
    client.get("/api/models/m_1?search=secret", headers=bearer)
    client.get("/api/stats")
    client.open("/api/nothing/secret", method="BREW", headers=bearer)
    # An inner question about the present state belongs to this request.
    client.patch("/api/models/m_1", json={"name": "x"}, headers=bearer | {"If-Match": '"a"'})
    lines = [line for line in read(log) if line["logger"] == "model_heritage.requests"]
    told = [(line["method"], line["path"], line["status"], line["who"]) for line in lines]
    assert told == [
        ("GET", "/api/models/<model_id>", 404, "Ada's laptop"),
        ("GET", "/api/stats", 401, "-"),
        ("(other)", "(none)", 404, "Ada's laptop"),
        ("PATCH", "/api/models/<model_id>", 404, "Ada's laptop"),
    ]
    assert all(line["ms"] >= 0 and len(line["request_id"]) == 32 for line in lines)
    assert text not in log.read_text()
    assert "secret" not in log.read_text()


def test_slow_requests_are_warnings(app: APIFlask, log: Path) -> None:
    @app.get("/slow")
    @app.doc(hide=True)
    def wait() -> str:
        time.sleep(0.06)
        return "done"

    token = get_service(app).access.create("me", Role.ADMIN, days=1)[1]
    app.test_client().get("/slow", headers={"Authorization": f"Bearer {token}"})
    line = read(log)[-1]
    assert (line["event"], line["level"]) == ("slow request", "warning")
    assert line["ms"] >= 60
    assert b"slow_requests_total 1.0" in get_service(app).metrics.render()


def test_lines_of_jobs_name_model_and_request(
    make_app: MakeApp, log: Path, zoo_family: Zoo
) -> None:
    client = make_app(log_file=log, log_format="json").test_client()
    answer = upload(client, zoo_family.path("base"))
    lines = {line["event"]: line for line in read(log)}
    for event in ("job begins", "job done"):
        line = lines[event]
        assert line["request_id"] == answer.headers["X-Request-Id"]
        assert line["model_id"] == answer.get_json()["model_id"]
        assert (line["job"], line["job_id"]) == ("process", answer.get_json()["job_id"])
    assert lines["job done"]["seconds"] > 0
