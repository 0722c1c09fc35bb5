from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from model_heritage_backend.routes.pages import add_pages


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>Model Heritage</title>")
    (dist / "assets" / "index-abc.js").write_text("start()")
    (dist / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret").write_text("secret")
    return dist


def make_client(dist: Path) -> FlaskClient:
    app = Flask("pages", static_folder=None)
    add_pages(app, dist)
    return app.test_client()


@pytest.mark.parametrize("path", ["/", "/models/m_1", "/families", "/apiary", "/index.html"])
def test_pages(dist: Path, path: str) -> None:
    with make_client(dist).get(path) as answer:
        assert answer.status_code == 200
        assert "Model Heritage" in answer.text
        assert answer.headers["Cache-Control"] == "no-cache"


def test_files(dist: Path) -> None:
    client = make_client(dist)
    with client.get("/assets/index-abc.js") as script:
        assert script.text == "start()"
        assert script.mimetype == "text/javascript"
        assert "immutable" in script.headers["Cache-Control"]
    with client.get("/icon.svg") as icon:
        assert icon.mimetype == "image/svg+xml"
        assert icon.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/assets/index-old.js", "/api", "/api/nothing"])
def test_not_pages(dist: Path, path: str) -> None:
    assert make_client(dist).get(path).status_code == 404


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/x%00y"])
def test_no_file_from_elsewhere(dist: Path, path: str) -> None:
    with make_client(dist).get(path) as answer:
        assert "secret" not in answer.text


def test_long_paths(dist: Path) -> None:
    with make_client(dist).get("/" + "x" * 5000) as answer:
        assert answer.status_code == 200


def test_not_built(tmp_path: Path) -> None:
    answer = make_client(tmp_path / "dist").get("/models")
    assert answer.status_code == 503
    assert "make run" in answer.text
