"""A real server for tests: its fixtures, and what tests do with it again and again."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask import Flask, Response, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from benchmarks.zoo import Zoo
from model_heritage_backend.app import close_app, create_app
from model_heritage_backend.config import PREFIX, Settings
from model_heritage_backend.routes.views import EXTENSION
from model_heritage_backend.services.heritage_service import HeritageService
from tests.databases import make_settings

MakeApp = Callable[..., APIFlask]


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that the tests run on."""
    for name in list(os.environ):
        if name.startswith(PREFIX) or name == "DATABASE_URL":
            monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path, plain_environment: None) -> Settings:
    return make_settings(tmp_path / "uploads")


@pytest.fixture
def make_app(settings: Settings) -> Iterator[MakeApp]:
    """Starts applications on one data folder, one after another: a second one is a restart."""
    running: list[APIFlask] = []
    witnesses: list[Witness] = []

    def close() -> None:
        close_app(running.pop())
        witnesses.pop().check()

    def make(**changes: Any) -> APIFlask:
        while running:
            close()
        running.append(create_app(settings.model_copy(update=changes)))
        witnesses.append(Witness(running[-1]))
        return running[-1]

    yield make
    while running:
        close()


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    return make_app()


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def service(app: APIFlask) -> HeritageService:
    return get_service(app)


@pytest.fixture(scope="session")
def full_client(
    tmp_path_factory: pytest.TempPathFactory, zoo_family: Zoo, strangers: list[Path]
) -> Iterator[FlaskClient]:
    """A server that holds the whole family and the strangers; tests only read it."""
    folder = tmp_path_factory.mktemp("full") / "uploads"
    app = create_app(make_settings(folder))
    client, witness = app.test_client(), Witness(app)
    for name in zoo_family.ids:
        assert upload(client, zoo_family.path(name), name=name).status_code == 201
    for path in strangers:
        assert upload(client, path, name=f"stranger-{path.stem}").status_code == 201
    yield client
    close_app(app)
    witness.check()


def get_service(app: Flask) -> HeritageService:
    service: HeritageService = app.extensions[EXTENSION]
    return service


def sign(client: FlaskClient, headers: dict[str, str]) -> FlaskClient:
    """Have a client send an Authorization header with every request."""
    client.environ_base["HTTP_AUTHORIZATION"] = headers["Authorization"]
    return client


def upload(
    client: FlaskClient,
    path: Path,
    *,
    name: str | None = None,
    headers: dict[str, str] | None = None,
    **fields: str,
) -> TestResponse:
    """Send a file as a form, as a browser does."""
    with path.open("rb") as file:
        form: dict[str, Any] = {"file": (file, path.name), **fields}
        if name is not None:
            form["name"] = name
        return client.post("/api/models", data=form, headers=headers)


def list_models(client: FlaskClient) -> dict[str, dict[str, Any]]:
    """All models by name."""
    answer = client.get("/api/models?limit=200").get_json()
    return {model["name"]: model for model in answer["models"]}


def list_edges(client: FlaskClient) -> dict[tuple[str, str], tuple[Any, ...]]:
    """(parent's name, child's name) -> relation, main, confidence, coefficient, distance."""
    names = {model["id"]: name for name, model in list_models(client).items()}
    edges = {}
    for family in client.get("/api/families").get_json()["families"]:
        tree = client.get(f"/api/families/{family['id']}/tree").get_json()
        for edge in tree["edges"]:
            edges[names[edge["parent"]], names[edge["child"]]] = (
                edge["relation"],
                edge["main"],
                edge["confidence"],
                edge["coefficient"],
                edge["distance"],
            )
    return edges


def wait_for_jobs(client: FlaskClient, *, seconds: float = 120) -> list[dict[str, Any]]:
    """Until all work is done; the jobs, newest first."""
    deadline = time.monotonic() + seconds
    while True:
        jobs: list[dict[str, Any]] = client.get("/api/jobs").get_json()["jobs"]
        if all(job["state"] in ("done", "failed", "cancelled") for job in jobs):
            return jobs
        assert time.monotonic() < deadline, jobs
        time.sleep(0.02)


def list_files(folder: Path) -> dict[str, list[str]]:
    """What lies in the data folder's ``staging`` and ``blobs``."""
    return {
        part: sorted(path.name for path in (folder / part).iterdir())
        for part in ("staging", "blobs")
    }


def check_problem(response: TestResponse, status: int, problem: str) -> dict[str, Any]:
    """That an answer is an error in the one shape; its members."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/problem+json"
    body: dict[str, Any] = response.get_json()
    assert body["type"] == f"/problems/{problem}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["X-Request-Id"]
    return body


class Witness:
    """What an application answered, to be held against its own OpenAPI document."""

    def __init__(self, app: APIFlask) -> None:
        self._app = app
        self._seen: set[tuple[str, str, int, str]] = set()
        # Hooks run from the last to the first, and some of them still change the status.
        app.after_request_funcs.setdefault(None, []).insert(0, self._note)

    def _note(self, response: Response) -> Response:
        rule = request.url_rule
        if rule is not None and response.status_code != 500:
            path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
            found = (request.method.lower(), path, response.status_code, response.mimetype or "")
            self._seen.add(found)
        return response

    def check(self) -> None:
        """That every status and media type was announced."""
        # Not by HTTP, which may ask for a token.
        with self._app.test_request_context():
            spec = self._app.view_functions["show_specification"]()
        wrong = []
        for method, path, status, media_type in sorted(self._seen):
            operations = spec["paths"].get(path, {})
            # HEAD answers as GET does, unless it has a description of its own.
            operation = operations.get(method, operations.get("get") if method == "head" else None)
            if operation is None:
                continue
            response = operation["responses"].get(str(status))
            if response is not None and "$ref" in response:
                response = spec["components"]["responses"][response["$ref"].rsplit("/", 1)[-1]]
            kinds = [] if response is None else list(response.get("content", {}))
            if response is None or (kinds and media_type not in kinds):
                wrong.append(f"{method.upper()} {path} answered {status} ({media_type})")
        assert wrong == [], f"not in the OpenAPI document: {wrong}"
