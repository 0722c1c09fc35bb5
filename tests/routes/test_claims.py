from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from safetensors.numpy import save_file

from tests.clustering.models import make_arrays
from tests.served import check_problem, upload

NOTHING = {
    "licence": None,
    "task": None,
    "tags": [],
    "base_model": None,
    "base_model_id": None,
    "source": {},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A model whose file says something of itself."""
    path = tmp_path / "model.safetensors"
    said = {"license": "MIT", "tags": "Small, toy", "base_model": "org/base"}
    save_file(make_arrays(1), path, metadata=said)
    return path


@pytest.fixture
def model(client: FlaskClient, path: Path) -> dict[str, Any]:
    answer = upload(client, path, name="model", licence="CC-BY-NC-4.0", task="")
    found: dict[str, Any] = answer.get_json()["model"]
    return found


def test_the_person_comes_before_the_file(client: FlaskClient, model: dict[str, Any]) -> None:
    assert model["declared"] == NOTHING | {
        "licence": "CC-BY-NC-4.0",
        "tags": ["Small", "toy"],
        "base_model": "org/base",
        "source": {"licence": "person", "tags": "file", "base_model": "file"},
    }
    url = f"/api/models/{model['id']}"
    changed = client.patch(url, json={"licence": None, "tags": ["b", "B", " a "], "task": "t"})
    assert changed.get_json()["declared"] == {
        "licence": "MIT",
        "task": "t",
        "tags": ["a", "b"],
        "base_model": "org/base",
        "base_model_id": None,
        "source": {"licence": "file", "task": "person", "tags": "person", "base_model": "file"},
    }
    assert client.get(url).get_json()["name"] == "model"


def test_raw_uploads_take_claims_from_the_query(client: FlaskClient, path: Path) -> None:
    query = "name=a&tags=x,y&tags=z&base_model=b%20c"
    answer = client.put(f"/api/models?{query}", data=path.read_bytes())
    declared = answer.get_json()["model"]["declared"]
    assert (declared["tags"], declared["base_model"]) == (["x", "y", "z"], "b c")


@pytest.mark.parametrize(
    "change",
    [
        {"licence": "x" * 201},
        {"licence": "a\x00"},
        {"licence": 5},
        {"task": "\ud800"},
        {"tags": "text"},
        {"tags": [""]},
        {"tags": ["x" * 51]},
        {"tags": ["a\nb"]},
        {"tags": [str(number) for number in range(33)]},
        {"base_model": "x" * 501},
        {"base_model_id": "m_1"},
    ],
)
def test_bad_claims_change_nothing(
    client: FlaskClient, model: dict[str, Any], change: dict[str, Any]
) -> None:
    url = f"/api/models/{model['id']}"
    check_problem(client.patch(url, json={"name": "b"} | change), 400, "invalid-request")
    left = client.get(url).get_json()
    assert (left["name"], left["declared"]) == ("model", model["declared"])


def test_lists_filter_by_claims(client: FlaskClient, model: dict[str, Any]) -> None:
    for query, total in {
        "licence=cc%20by-nc%204.0": 1,
        "licence=mit": 0,
        "tag=SMALL&tag=toy": 1,
        "tag=small&tag=other": 0,
        "conflict=true": 0,
        "conflict=false": 1,
        f"search={model['checksum'][:6].upper()}": 1,
        f"search={model['checksum'][:5]}": 0,
        f"search={model['id']}": 1,
        "relation=leaf": 1,
        "relation=unresolved": 0,
        "created_after=2026-01-01": 1,
        "created_before=2026-01-01T00:00:00Z": 0,
        "parameters_min=1&parameters_max=100": 0,
    }.items():
        assert client.get(f"/api/models?{query}").get_json()["total"] == total, query
    facets = client.get("/api/models/facets?search=model").get_json()
    assert facets == {
        "relations": {},
        "statuses": {"ok": 1},
        "licences": {"cc-by-nc-4.0": 1},
        "tags": {"Small": 1, "toy": 1},
    }
    assert client.get("/api/tags?search=T").get_json() == {"tags": [{"tag": "toy", "models": 1}]}


def test_import(client: FlaskClient, model: dict[str, Any]) -> None:
    table = (
        "\ufeffmodel,licence,tags,base_model\r\n"
        f'{model["id"]},=cmd,"x, y",\r\n'
        f"{model['checksum'].upper()},mit,,\r\n"
        "model,,,other\r\n"
        "nobody,mit,,\r\n"
        "model,,,\r\n"
        "model,mit,,,,\r\n"
        f"model,{'x' * 201},,\r\n"
    )
    answer = client.post("/api/claims", data=table.encode(), content_type="text/csv").get_json()
    assert answer["applied"] == 2
    assert [(row["row"], row["model"]) for row in answer["refused"]] == [
        (2, model["checksum"].upper()),
        (4, "nobody"),
        (5, "model"),
        (6, "model"),
        (7, "model"),
    ]
    declared = client.get(f"/api/models/{model['id']}").get_json()["declared"]
    assert (declared["licence"], declared["tags"]) == ("=cmd", ["x", "y"])
    assert (declared["base_model"], declared["task"]) == ("other", None)
    rows = [
        {"model": "model", "licence": None, "tags": ["a"]},
        {"model": 5},
        {"model": "x", "y": 1},
    ]
    answer = client.post("/api/claims", json=rows).get_json()
    assert (answer["applied"], [row["row"] for row in answer["refused"]]) == (1, [2, 3])
    declared = client.get(f"/api/models/{model['id']}").get_json()["declared"]
    assert (declared["licence"], declared["source"]["licence"]) == ("MIT", "file")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"{}", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"", "text/csv", 400),
        (b"licence\nmit\n", "text/csv", 400),
        (b"model,model\n", "text/csv", 400),
        (b"model,colour\na,b\n", "text/csv", 400),
        (b"\xff\xfe", "text/csv", 400),
        (b'model,task\n"a', "text/csv", 400),
        (b"model,task\na\x00,b\n", "text/csv", 200),
        (b"[]", "application/json", 200),
        (b"model=a", "application/x-www-form-urlencoded", 415),
        (b"model\n" + b"x\n" * 10_001, "text/csv", 400),
        (b"x" * (2 << 20), "text/csv", 413),
    ],
)
def test_imports_that_are_no_tables(
    client: FlaskClient, content: bytes, kind: str, status: int
) -> None:
    answer = client.post("/api/claims", data=content, content_type=kind)
    assert answer.status_code == status
    if status != 200:
        assert answer.mimetype == "application/problem+json"
