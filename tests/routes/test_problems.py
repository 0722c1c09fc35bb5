from __future__ import annotations

import re

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from gunicorn.http.errors import InvalidChunkSize

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.places import PROJECT
from tests.served import MakeApp, check_problem, get_service


def test_unknown_paths(client: FlaskClient) -> None:
    for path in ("/api", "/api/", "/api/nothing", "/api/models/a/b/c"):
        for method in ("GET", "POST", "DELETE"):
            problem = check_problem(client.open(path, method=method), 404, "not-found")
            assert path in problem["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/models", {"GET", "POST", "PUT"}),
        ("GET", "/api/models/m/reprocess", {"POST"}),
        ("POST", "/api/health", {"GET"}),
        ("PUT", "/api/jobs/j", {"GET", "DELETE"}),
    ],
)
def test_other_methods(client: FlaskClient, method: str, path: str, allowed: set[str]) -> None:
    answer = client.open(path, method=method)
    check_problem(answer, 405, "method-not-allowed")
    assert allowed <= set(re.split(r",\s*", answer.headers["Allow"]))


def test_several_mistakes_are_told_in_one_sentence(client: FlaskClient) -> None:
    answer = client.get("/api/models?limit=-5&sort=colour")
    detail = check_problem(answer, 400, "invalid-request")["detail"]
    assert re.fullmatch(r"sort: [^.;]+; limit: [^.;]+\.", detail), detail


def test_unexpected_errors_are_logged_and_not_shown(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()
    # A table that is gone is as unexpected as it gets.
    with get_service(app)._database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE families RENAME TO gone")
    problem = check_problem(app.test_client().get("/api/families"), 500, "internal-error")
    assert "families" not in problem["detail"]
    assert "GET '/api/families' failed" in caplog.text
    assert re.search(r"no such table|\"families\" does not exist", caplog.text)


def test_bodies_of_plain_requests_are_bounded(client: FlaskClient) -> None:
    answer = client.patch("/api/models/m", data=b" " * (2 << 20), content_type="application/json")
    check_problem(answer, 413, "file-too-large")


def test_large_form_fields_are_refused(client: FlaskClient) -> None:
    body = b"--x\r\nContent-Disposition: form-data; name=name\r\n\r\n" + b"x" * (2 << 20)
    answer = client.post("/api/models", data=body, content_type="multipart/form-data; boundary=x")
    check_problem(answer, 413, "file-too-large")


def test_chunks_that_break_the_rules(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def receive(*_: object, **more: object) -> None:
        raise InvalidChunkSize(b"zz")

    monkeypatch.setattr(FileStore, "receive", receive)
    answer = client.put("/api/models?name=a", data=b"zz")
    check_problem(answer, 400, "invalid-request")


def test_too_little_memory(app: APIFlask) -> None:
    @app.get("/api/large")
    @app.doc(hide=True)
    def fail() -> str:
        raise MemoryError

    problem = check_problem(app.test_client().get("/api/large"), 503, "out-of-memory")
    assert "memory_limit_bytes" in problem["detail"]


NOT_ANSWERED = {
    # What all are made from; the server that does not start; commands and clients alone.
    "error",
    "migration-failed",
    "open-door",
    "port-taken",
    "job-failed",
    "no-ranges",
    "upload-interrupted",
}


def test_the_reference_names_every_type() -> None:
    page = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
    waiting, types = [HeritageError], set()
    while waiting:
        kind = waiting.pop()
        types.add(kind.type)
        waiting += kind.__subclasses__()
    assert "storage-unavailable" in types
    assert {name for name in types - NOT_ANSWERED if f"`{name}`" not in page} == set()
