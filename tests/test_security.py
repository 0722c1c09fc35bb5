"""What strangers may put into files, names and requests, and what must not become of it.

Elsewhere: foreign pages and forged proxies in ``routes/test_access.py`` and ``test_accounts.py``,
names of the server in ``routes/test_hosts.py``, addresses that lead inside in
``scanning/remote/test_peers.py``, imports in ``services/test_imports.py``, the page of a scan in
``cli/test_page.py``, formulas in every export in ``interop/test_table.py``.
"""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import torch
from flask.testing import FlaskClient
from safetensors.numpy import load_file, save_file
from werkzeug.http import parse_options_header
from werkzeug.test import TestResponse

from model_heritage_backend.config import Settings
from model_heritage_backend.services.heritage_service import HeritageService
from tests.served import MakeApp, check_problem, list_files, upload
from tests.tiny_models import make_tiny_models

SCRIPT = "<script>alert(1)</script>"
HANDLER = '"><img src=x onerror=alert(2)>'
FORMULA = '=HYPERLINK("http://evil.example","see")'
FRONT_END = Path(__file__).resolve().parents[1] / "model_heritage_frontend"
MARKUP = ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml")
RAW_MARKUP = re.compile(
    r"dangerouslySetInnerHTML|\.(inner|outer)HTML|insertAdjacentHTML|document\.write"
    r"|\beval\(|new Function\(|srcdoc|javascript:"
)


def make_hostile(folder: Path) -> list[Path]:
    """Two relatives in whose names, tensors and metadata there is markup."""
    models = make_tiny_models(folder / "tiny")
    made = []
    for name in ("base", "tuned"):
        weights = load_file(models / f"{name}.safetensors")
        renamed = {f"{SCRIPT}.{HANDLER}.{key}": value for key, value in weights.items()}
        metadata = {SCRIPT: HANDLER, "license": SCRIPT, "base_model": HANDLER}
        save_file(renamed, folder / f"{name}.safetensors", metadata=metadata)
        made.append(folder / f"{name}.safetensors")
    return made


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_hostile(tmp_path_factory.mktemp("hostile"))


def fill(client: FlaskClient, hostile: list[Path]) -> list[str]:
    """Uploads them with markup and formulas in every field; their ids."""
    ids = []
    for path, name in zip(hostile, (SCRIPT, FORMULA), strict=True):
        said = {"licence": SCRIPT, "task": HANDLER, "tags": SCRIPT, "base_model": HANDLER}
        answer = upload(client, path, name=name, description=SCRIPT + HANDLER, **said)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        ids.append(answer.get_json()["model_id"])
    return ids


def list_reads(client: FlaskClient, ids: list[str]) -> Iterator[tuple[str, TestResponse]]:
    """Every operation of the document that reads, asked about what is there."""
    family = client.get(f"/api/models/{ids[0]}").get_json()["family_id"]
    values = {"model_id": ids[0], "other_id": ids[1], "family_id": family, "number": "1"}
    values |= {"start": "1", "end": "1", "other": "1"}
    for path, operations in client.get("/api/openapi.json").get_json()["paths"].items():
        if "get" in operations and "/events" not in path:
            filled = re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], SCRIPT), path)
            yield path, client.get(filled)
            yield path, client.get(f"{filled}?search={quote(SCRIPT)}&format={quote(SCRIPT)}")
    for format_ in ("json", "csv", "graphml", "gexf", "dot", "newick", "cyclonedx", "cypher"):
        yield format_, client.get(f"/api/lineage/export?format={format_}")
    yield "impact", client.get(f"/api/models/{ids[0]}/impact?format=csv")
    yield "nothing", client.get(f"/api/{SCRIPT}")
    yield "a file", client.get(f"/assets/{quote(SCRIPT)}")


def test_markup_in_names_is_never_markup(client: FlaskClient, hostile: list[Path]) -> None:
    ids, told = fill(client, hostile), 0
    for path, answer in list_reads(client, ids):
        with answer:
            text = answer.get_data().decode("utf-8", "replace")
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"] or (
                answer.headers["Content-Security-Policy"] == "sandbox"
            ), path
            if SCRIPT in text or "onerror=alert" in text:
                told += 1
                # As data of another kind, or a download, it stays text whatever is in it.
                assert answer.mimetype not in MARKUP, (path, answer.mimetype)
    assert told > 10


def test_pages_write_no_markup_of_their_own() -> None:
    """React makes text of everything; only these ways would go around it."""
    found = [
        f"{path.relative_to(FRONT_END)}: {match[0]}"
        for folder in ("src", "public")
        for path in (FRONT_END / folder).rglob("*.*s*")
        if path.suffix in (".ts", ".tsx", ".js") and ".test." not in path.name
        for match in RAW_MARKUP.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_cell_of_a_table_is_a_formula(client: FlaskClient, hostile: list[Path]) -> None:
    ids = fill(client, hostile)
    dangerous = 0
    for path in ("/api/lineage/export?format=csv", f"/api/models/{ids[0]}/impact?format=csv"):
        rows = list(csv.reader(io.StringIO(client.get(path).get_data(as_text=True))))
        cells = [cell for row in rows for cell in row]
        dangerous += sum(FORMULA in cell for cell in cells)
        assert not any(cell.startswith(tuple("=+@\t\r")) for cell in cells), path
    assert dangerous >= 2


@pytest.mark.parametrize(
    "name",
    [
        'a"; filename="b.exe',
        "a; x=y",
        "ä\u202egnp.exe",
        "a\\b",
        "percent%0d%0aSet-Cookie: x=1",
        SCRIPT,
    ],
)
def test_names_stay_within_their_header(
    client: FlaskClient, tmp_path: Path, hostile: list[Path], name: str
) -> None:
    query = f"name=x&filename={quote(name + '.safetensors')}"
    answer = client.put(f"/api/models?{query}", data=hostile[0].read_bytes())
    assert answer.status_code == 201
    with client.get(f"/api/models/{answer.get_json()['model_id']}/download") as download:
        kind, options = parse_options_header(download.headers["Content-Disposition"])
        kept = (name + ".safetensors").replace("\\", "/").rpartition("/")[2]
        assert (kind, options["filename"]) == ("attachment", kept)
        assert "Set-Cookie" not in download.headers
        assert download.mimetype == "application/octet-stream"
        assert download.headers["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize("line", ["\r\n", "\n", "\r", "\0", "\x85"])
def test_lines_are_no_names(client: FlaskClient, hostile: list[Path], line: str) -> None:
    for field in ("filename", "name"):
        other = "name=x&filename=a&" if field == "filename" else "filename=a&"
        query = f"{other}{field}=a{quote(line)}Set-Cookie:x=1".replace(
            "filename=a&filename", "filename"
        )
        answer = client.put(f"/api/models?{query}", data=hostile[0].read_bytes())
        check_problem(answer, 400, "invalid-request")
    answer = client.get("/api/health", headers={"X-Request-Id": "a" + line.encode().hex()})
    assert "\n" not in answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "name",
    ["../../escaped.safetensors", "/tmp/escaped", "..\\..\\escaped", "%2e%2e%2fescaped", ".."],
)
def test_names_of_uploads_are_no_paths(
    client: FlaskClient, service: HeritageService, tmp_path: Path, hostile: list[Path], name: str
) -> None:
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    answer = client.put(f"/api/models?name={quote(name)}", data=hostile[0].read_bytes())
    assert answer.status_code == 201
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    data_dir = service.files.data_dir
    assert all(path.is_relative_to(data_dir) for path in new)
    assert not any("escaped" in str(path.relative_to(data_dir)) for path in new)
    # What the server calls its files itself: by their checksums.
    assert list_files(data_dir)["blobs"] == [answer.get_json()["model"]["checksum"]]


def test_members_of_archives_are_no_paths(
    client: FlaskClient, service: HeritageService, tmp_path: Path
) -> None:
    torch.save({"w": torch.ones(4, 4)}, tmp_path / "a.pt")
    with (
        zipfile.ZipFile(tmp_path / "a.pt") as old,
        zipfile.ZipFile(tmp_path / "b.pt", "w", zipfile.ZIP_STORED) as new,
    ):
        for member in old.namelist():
            new.writestr(member, old.read(member))
        for path in ("../../escaped", "/tmp/model-heritage-escaped", "a/../../escaped"):
            new.writestr(path, b"x")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    answer = upload(client, tmp_path / "b.pt", name="b")
    assert answer.status_code == 201
    new_files = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert not [path for path in new_files if "escaped" in path.name]
    assert not Path("/tmp/model-heritage-escaped").exists()


@pytest.mark.parametrize(
    "dots", ["..", "%2e%2e", "..%2f..", "....//", "..%5c", "%252e%252e", "%c0%ae"]
)
def test_addresses_lead_to_no_other_files(make_app: MakeApp, dots: str, settings: Settings) -> None:
    """With the data folder beside what is served: a way out of one would lead to the other."""
    client = make_app().test_client()
    secret = settings.data_dir / "blobs" / "secret"
    secret.write_text("the secret")
    for path in (
        f"/{dots}/{dots}/{dots}{secret}",
        f"/assets/{dots}/{dots}/model_heritage_backend/app.py",
        f"/api/models/{dots}/download",
        f"/api/models/{dots}%2fblobs%2fsecret/download",
        f"/api/docs/assets/{dots}/{dots}/app.py",
        f"/api/uploads/{dots}%2fapp.db",
    ):
        with client.get(path) as answer:
            text = answer.get_data(as_text=True)
            assert "the secret" not in text
            assert "create_app" not in text
            assert "SQLite format" not in text
            assert answer.status_code in (200, 404, 503, 308), (path, answer.status_code)


def test_the_server_asks_nobody(
    client: FlaskClient, hostile: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Addresses in what people say are words: no name is looked up, and nothing is connected."""
    asked: list[Any] = []

    def refuse(*arguments: Any, **_: Any) -> None:
        asked.append(arguments)
        raise OSError("nobody is asked here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    url = "http://169.254.169.254/latest/meta-data"
    said = {"base_model": url, "licence": url, "tags": url[:50]}
    answer = upload(client, hostile[0], name=url, description=url, **said)
    model = answer.get_json()["model_id"]
    requests: list[tuple[str, str, Any]] = [
        ("POST", "/api/imports", {"folder": url}),
        ("POST", "/api/imports", {"folder": "file:///etc"}),
        ("POST", "/api/identify", {"url": url}),
        ("POST", "/api/models", {"url": url, "file": url}),
        ("PATCH", f"/api/models/{model}", {"base_model": url, "description": url}),
    ]
    for method, path, body in requests:
        assert client.open(path, method=method, json=body).status_code < 500
    client.put(f"/api/models?name=x&filename={quote(url)}", data=url.encode())
    client.get(f"/api/models/{model}", headers={"Referer": url, "X-Forwarded-Host": url})
    assert asked == []


def test_deep_and_wide_json_is_refused(client: FlaskClient) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    for body in (deep, json.dumps({"name": "x" * 2_000_000}), '{"name": 1e999999}', "\ud800"):
        answer = client.patch(
            "/api/models/m_x",
            data=body.encode("utf-8", "surrogatepass"),
            content_type="application/json",
        )
        assert 400 <= answer.status_code < 500, body[:20]


def test_values_of_weights_stay_numbers(client: FlaskClient, tmp_path: Path) -> None:
    """Answers are JSON, which has no NaN: a page could not read them."""
    weights = {"w": np.full((8, 8), np.nan, np.float32), "v": np.full((8, 8), np.inf, np.float32)}
    save_file(weights, tmp_path / "a.safetensors")
    text = upload(client, tmp_path / "a.safetensors").get_data(as_text=True)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
