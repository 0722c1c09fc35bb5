from __future__ import annotations

import hashlib
from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml
from flask.testing import FlaskClient
from safetensors.numpy import save_file

from benchmarks.zoo import Zoo
from model_heritage_backend.config import Settings
from model_heritage_backend.models.blobs import DamagedFile
from tests.clustering.models import make_adapter, make_arrays
from tests.served import (
    MakeApp,
    check_problem,
    list_edges,
    list_files,
    list_models,
    upload,
)

EMPTY = {"staging": [], "blobs": []}


def test_list_and_search(full_client: FlaskClient, zoo_family: Zoo) -> None:
    everything = full_client.get("/api/models?limit=200").get_json()
    names = [model["name"] for model in everything["models"]]
    assert names == sorted(names, key=str.casefold)
    assert everything["total"] == len(names) == len(zoo_family.ids) + 4
    found = full_client.get("/api/models?search=LORA").get_json()
    assert [m["name"] for m in found["models"]] == ["inverted-lora", "noisy-odd-lora"]
    page = full_client.get("/api/models?limit=5").get_json()
    more = full_client.get(f"/api/models?limit=200&cursor={page['next_cursor']}").get_json()
    assert [m["name"] for m in page["models"] + more["models"]] == names
    assert more["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "sort=colour",
        "status=good",
        "relation=cousin",
        "cursor=x",
    ],
)
def test_bad_queries_name_the_parameter(full_client: FlaskClient, query: str) -> None:
    problem = check_problem(full_client.get(f"/api/models?{query}"), 400, "invalid-request")
    assert query.split("=")[0] in problem["detail"]


def test_detail_and_lineage(full_client: FlaskClient) -> None:
    models = list_models(full_client)
    noisy = full_client.get(models["noisy"]["weights_uri"].removesuffix("/download")).get_json()
    assert noisy["lineage"]["parent"]["name"] == "base"
    children = {child["name"] for child in noisy["lineage"]["children"]}
    assert {"noisy-int8", "noisy-odd"} <= children
    lineage = full_client.get(f"/api/models/{models['noisy-odd-lora']['id']}/lineage").get_json()
    assert lineage["parent"]["name"] == "noisy-odd"
    assert [ancestor["name"] for ancestor in lineage["ancestors"]] == [
        "noisy-odd",
        "noisy",
        "base",
    ]
    root = full_client.get(f"/api/models/{models['base']['id']}/lineage").get_json()
    assert root["parent"] is None
    assert len(root["descendants"]) == noisy["family_size"] - 1


def test_change(client: FlaskClient, zoo_family: Zoo) -> None:
    model_id = upload(client, zoo_family.path("base"), name="a").get_json()["model_id"]
    url = f"/api/models/{model_id}"
    changed = client.patch(url, json={"name": " Ä new name "}).get_json()
    assert (changed["name"], changed["description"]) == ("Ä new name", "")
    client.patch(url, json={"description": "two\nlines"})
    found = client.get("/api/models?search=ä NEW").get_json()["models"]
    assert [(m["name"], m["description"]) for m in found] == [("Ä new name", "two\nlines")]
    family = client.get("/api/families").get_json()["families"][0]
    assert family["name"] == "Family of Ä new name"


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": " "},
        {"name": None},
        {"name": 5},
        {"name": "x" * 201},
        {"name": "a\x00"},
        {"name": "\ud800"},
        {"colour": "red"},
        ["name"],
    ],
)
def test_bad_changes(client: FlaskClient, zoo_family: Zoo, change: object) -> None:
    model_id = upload(client, zoo_family.path("base"), name="a").get_json()["model_id"]
    check_problem(client.patch(f"/api/models/{model_id}", json=change), 400, "invalid-request")
    assert client.get(f"/api/models/{model_id}").get_json()["name"] == "a"


def test_change_needs_json(client: FlaskClient, zoo_family: Zoo) -> None:
    model_id = upload(client, zoo_family.path("base"), name="a").get_json()["model_id"]
    url = f"/api/models/{model_id}"
    check_problem(
        client.patch(url, data="{", content_type="application/json"), 400, "invalid-request"
    )
    check_problem(client.patch(url, data={"name": "b"}), 415, "unsupported-media-type")


def test_delete(client: FlaskClient, settings: Settings, zoo_family: Zoo) -> None:
    for name in ("base", "noisy-odd"):
        upload(client, zoo_family.path(name), name=name)
    without = list_edges(client)
    upload(client, zoo_family.path("noisy"), name="noisy")
    complete = list_edges(client)
    assert set(complete) == {("base", "noisy"), ("noisy", "noisy-odd")}
    models = list_models(client)
    answer = client.delete(f"/api/models/{models['noisy']['id']}")
    assert (answer.status_code, answer.data) == (204, b"")
    check_problem(client.get(f"/api/models/{models['noisy']['id']}"), 404, "not-found")
    left = list_models(client)
    assert list_edges(client) == without
    checksums = sorted(model["checksum"] for model in left.values())
    assert list_files(settings.data_dir) == {"staging": [], "blobs": checksums}
    # It may come back, under the same id.
    again = upload(client, zoo_family.path("noisy"), name="noisy").get_json()
    assert again["model_id"] == models["noisy"]["id"]
    assert list_edges(client) == complete


def test_deleting_the_last_one_leaves_nothing(
    client: FlaskClient, settings: Settings, zoo_family: Zoo
) -> None:
    model_id = upload(client, zoo_family.path("base")).get_json()["model_id"]
    client.delete(f"/api/models/{model_id}")
    assert list_files(settings.data_dir) == EMPTY
    assert client.get("/api/families").get_json() == {
        "families": [],
        "total": 0,
        "next_cursor": None,
    }


def test_reprocess_gives_the_same_place(client: FlaskClient, zoo_family: Zoo) -> None:
    upload(client, zoo_family.path("base"), name="base")
    first = upload(client, zoo_family.path("noisy"), name="noisy").get_json()
    again = client.post(f"/api/models/{first['model_id']}/reprocess")
    assert again.status_code == 200
    assert again.get_json()["edge"] == first["edge"]


def test_download(client: FlaskClient, make_app: MakeApp, zoo_family: Zoo) -> None:
    path = zoo_family.path("base")
    content = path.read_bytes()
    answer = client.put(
        "/api/models", data=content, query_string={"filename": 'a";\\ b é.safetensors'}
    )
    url = answer.get_json()["model"]["weights_uri"]
    whole = client.get(url)
    assert whole.data == content
    assert whole.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    disposition = whole.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename=")
    assert disposition.endswith("filename*=UTF-8''b%20%C3%A9.safetensors")
    part = client.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(content)}"
    beyond = client.get(url, headers={"Range": f"bytes={len(content)}-"})
    check_problem(beyond, 416, "range-not-satisfiable")
    unchanged = client.get(url, headers={"If-None-Match": whole.headers["ETag"]})
    assert unchanged.status_code == 304
    for response in (whole, part, unchanged):
        response.close()


def test_a_missing_file_is_said(client: FlaskClient, settings: Settings, zoo_family: Zoo) -> None:
    model = upload(client, zoo_family.path("base")).get_json()["model"]
    (settings.data_dir / "blobs" / model["checksum"]).unlink()
    problem = check_problem(client.get(model["weights_uri"]), 404, "not-found")
    assert "missing" in problem["detail"]


def test_compare(full_client: FlaskClient) -> None:
    models = list_models(full_client)
    base, noisy = models["base"]["id"], models["noisy"]["id"]
    answer = full_client.get(f"/api/models/{base}/compare/{noisy}").get_json()
    assert (answer["model_id"], answer["other_id"]) == (base, noisy)
    assert answer["distance"] > 0
    assert all(tensor["status"] and tensor["verdict"] for tensor in answer["tensors"])
    kinship = answer["kinship"]
    assert (kinship["kind"], kinship["path"]) == ("child", [base, noisy])
    assert kinship["confidence"] >= 0.5
    assert kinship["reasons"]
    assert sum(layer["tensors"] for layer in answer["layers"]) == len(answer["tensors"])
    same = full_client.get(f"/api/models/{base}/compare/{base}").get_json()
    assert same["distance"] == 0


def test_merge_recipe(full_client: FlaskClient) -> None:
    """noisy-rotated = 0.6 rotated + 0.4 noisy; the base is no merge."""
    models = list_models(full_client)
    url = f"/api/models/{models['noisy-rotated']['id']}/merge-recipe"
    answer = full_client.get(url)
    assert answer.mimetype == "application/yaml"
    recipe = yaml.safe_load(answer.get_data(as_text=True))
    assert recipe["merge_method"] == "linear"
    weights = {m["model"]: m["parameters"]["weight"] for m in recipe["models"]}
    assert weights == pytest.approx({"rotated": 0.6, "noisy": 0.4}, abs=1e-5)
    assert recipe["dtype"] == "float32"
    for unknown in (models["base"]["id"], "m_unknown"):
        check_problem(full_client.get(f"/api/models/{unknown}/merge-recipe"), 404, "not-found")


def test_identify_keeps_nothing(client: FlaskClient, settings: Settings, zoo_family: Zoo) -> None:
    for name in ("base", "rotated"):
        upload(client, zoo_family.path(name), name=name)
    before = (list_models(client), list_files(settings.data_dir))
    with zoo_family.path("rotated-pruned").open("rb") as file:
        answer = client.post("/api/identify", data={"file": file})
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["candidates"][0]["name"] == "rotated"
    assert body["parent_id"] == before[0]["rotated"]["id"]
    assert body["relation"] == "pruned"
    assert body["existing_id"] is None
    assert (list_models(client), list_files(settings.data_dir)) == before
    with zoo_family.path("rotated").open("rb") as file:
        known = client.post("/api/identify", data={"file": file}).get_json()
    assert known["existing_id"] == before[0]["rotated"]["id"]


def test_identify_in_an_empty_lake(client: FlaskClient, zoo_family: Zoo) -> None:
    with zoo_family.path("base").open("rb") as file:
        body = client.post("/api/identify", data={"file": file}).get_json()
    assert body["family_id"] is body["parent_id"] is None
    assert body["candidates"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/lineage"),
        ("POST", "/reprocess"),
        ("GET", "/download"),
        ("GET", "/compare/m_other"),
    ],
)
@pytest.mark.parametrize("model_id", ["m_nobody", "x" * 3000, "..", "%00", "é"])
def test_unknown_models(full_client: FlaskClient, method: str, path: str, model_id: str) -> None:
    json_body = {"name": "x"} if method == "PATCH" else None
    answer = full_client.open(f"/api/models/{model_id}{path}", method=method, json=json_body)
    check_problem(answer, 404, "not-found")


def test_an_adapter_joins_its_base(client: FlaskClient, tmp_path: Path) -> None:
    """By shapes as a guess at first; the merged child proves it."""
    base = make_arrays(1)
    factors, merged = make_adapter(base)
    files = {"base": base, "stranger": make_arrays(2), "adapter": factors, "merged": merged}
    for name, arrays in files.items():
        save_file(arrays, tmp_path / f"{name}.safetensors")
    upload(client, tmp_path / "base.safetensors")
    guess = upload(client, tmp_path / "adapter.safetensors").get_json()
    assert (guess["relation"], guess["edge"]["resolved"]) == ("adapter", False)
    assert "adapter" in guess["model"]["quality"]
    upload(client, tmp_path / "stranger.safetensors")
    alone = client.get(f"/api/models/{guess['model_id']}").get_json()
    assert (alone["parent_id"], alone["family_size"], alone["is_root"]) == (None, 1, False)
    upload(client, tmp_path / "merged.safetensors")
    edges = list_edges(client)
    assert edges.keys() == {("base", "adapter"), ("base", "merged")}
    assert {relation for relation, *_ in edges.values()} == {"adapter"}
    assert all(edge[2] > 0.9 for edge in edges.values())
    placed = client.post(f"/api/models/{guess['model_id']}/reprocess").get_json()
    assert placed["message"] == "Its parent is base, 98 % sure (adapter)."


def test_an_adapter_of_nothing_here_says_so(client: FlaskClient, tmp_path: Path) -> None:
    factors, _ = make_adapter(make_arrays(1))
    save_file(factors, tmp_path / "adapter.safetensors")
    answer = upload(client, tmp_path / "adapter.safetensors")
    assert answer.status_code == 201
    assert answer.get_json()["message"].startswith("It is an adapter")


def test_a_rotten_file_is_not_served_and_can_be_put_right(
    client: FlaskClient, make_app: MakeApp, settings: Settings, zoo_family: Zoo
) -> None:
    path = zoo_family.path("base")
    content = path.read_bytes()
    url = upload(client, path).get_json()["model"]["weights_uri"]
    checksum = hashlib.sha256(content).hexdigest()
    blob = settings.data_dir / "blobs" / checksum
    blob.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    part = {"Range": "bytes=0-9"}
    for headers in (part, {}):
        with pytest.raises(DamagedFile) if headers else nullcontext():
            check_problem(client.get(url, headers=headers), 404, "file-damaged")
    again = make_app().test_client()
    check_problem(again.get(url, headers=part), 404, "file-damaged")
    problem = check_problem(upload(again, path), 409, "duplicate-model")
    assert "put right" in problem["detail"]
    assert again.get(url).data == content
    assert again.get(url, headers=part).data == content[:10]
    assert "put right" not in upload(again, path).get_json()["detail"]
    blob.unlink()
    check_problem(again.get(url), 404, "not-found")
    assert "put right" in upload(again, path).get_json()["detail"]
    assert again.get(url).data == content
