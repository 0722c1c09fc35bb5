from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from model_heritage_backend.config import Settings
from tests.served import (
    MakeApp,
    check_problem,
    get_service,
    list_edges,
    list_files,
    list_models,
    upload,
)

EMPTY = {"staging": [], "blobs": []}


def assert_no_trace(client: FlaskClient, settings: Settings) -> None:
    assert list_files(settings.data_dir) == EMPTY
    assert client.get("/api/models").get_json()["total"] == 0
    assert client.get("/api/jobs").get_json()["total"] == 0


# Uploading ---------------------------------------------------------------------------------------


def test_upload_answers_with_the_models_place(client: FlaskClient, zoo_family: Zoo) -> None:
    first = upload(client, zoo_family.path("base"), name="base", description="the first")
    assert first.status_code == 201
    root = first.get_json()
    assert root["status"] == root["model"]["status"] == "ok"
    assert root["parent_id"] is root["edge"] is root["relation"] is None
    assert root["model"]["description"] == "the first"
    answer = upload(client, zoo_family.path("noisy"), name="noisy")
    body = answer.get_json()
    assert answer.headers["Location"] == f"/api/models/{body['model_id']}"
    assert body["parent_id"] == root["model_id"]
    assert body["relation"] == body["edge"]["relation"] == "finetune"
    assert body["parent_confidence"] == body["edge"]["confidence"] > 0.5
    assert body["edge"]["evidence"]["exact"] is True
    assert body["family_id"] == body["family"]["id"] == root["family_id"]
    assert body["family"]["size"] == body["model"]["family_size"] == 2
    assert body["model"]["parent_name"] == "base"
    assert "base" in body["message"]
    path = zoo_family.path("noisy")
    assert body["model"]["checksum"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert body["model"]["file_size"] == path.stat().st_size
    assert sum(body["model"]["dtypes"].values()) == body["model"]["total_parameters"] > 0


def test_name_defaults_to_the_files(client: FlaskClient, zoo_family: Zoo) -> None:
    path = zoo_family.path("base")
    assert upload(client, path).get_json()["model"]["name"] == path.stem


def test_raw_upload(client: FlaskClient, zoo_family: Zoo) -> None:
    content = zoo_family.path("base").read_bytes()
    answer = client.put("/api/models?name=raw&filename=a.safetensors", data=content)
    assert answer.status_code == 201
    model = answer.get_json()["model"]
    assert (model["name"], model["filename"]) == ("raw", "a.safetensors")
    assert model["checksum"] == hashlib.sha256(content).hexdigest()


def test_raw_upload_needs_a_name(client: FlaskClient, settings: Settings) -> None:
    check_problem(client.put("/api/models", data=b"x"), 400, "invalid-request")
    assert_no_trace(client, settings)


@pytest.mark.parametrize("way", ["form", "raw"])
def test_duplicate(client: FlaskClient, settings: Settings, zoo_family: Zoo, way: str) -> None:
    path = zoo_family.path("base")
    first = upload(client, path, name="base").get_json()
    if way == "form":
        again = upload(client, path, name="another")
    else:
        again = client.put("/api/models?name=another", data=path.read_bytes())
    problem = check_problem(again, 409, "duplicate-model")
    assert problem["existing_id"] == first["model_id"]
    assert "'base'" in problem["detail"]
    assert list_files(settings.data_dir) == {"staging": [], "blobs": [first["model"]["checksum"]]}


def test_respond_async(client: FlaskClient, make_app: MakeApp, zoo_family: Zoo) -> None:
    answer = upload(client, zoo_family.path("base"), name="a", headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    body = answer.get_json()
    assert body["status"] == "processing"
    assert answer.headers["Location"] == f"/api/jobs/{body['job_id']}"
    assert body["signature_preview"]["total_parameters"] > 0
    # A later job ends after the earlier one.
    assert client.post("/api/models/" + body["model_id"] + "/reprocess").status_code == 200
    job = client.get(answer.headers["Location"]).get_json()
    assert (job["state"], job["kind"], job["model_id"]) == ("done", "process", body["model_id"])
    model = client.get(f"/api/models/{body['model_id']}").get_json()
    assert model["status"] == "ok"
    for name, value in body["signature_preview"].items():
        assert model[name] == value


def test_what_takes_long_is_answered_as_if_async(make_app: MakeApp, zoo_family: Zoo) -> None:
    client = make_app(synchronous_seconds=0.0).test_client()
    assert upload(client, zoo_family.path("base")).status_code == 202


# Refusing ----------------------------------------------------------------------------------------


def make_bad_files(good: bytes) -> dict[str, tuple[bytes, int, str]]:
    length = int.from_bytes(good[:8], "little")
    header = json.loads(good[8 : 8 + length])
    name = next(key for key in header if key != "__metadata__")
    header[name]["data_offsets"][1] += 4
    overlong = json.dumps(header).encode()
    return {
        "empty": (b"", 415, "unsupported-format"),
        "truncated": (good[:-100], 422, "invalid-weights"),
        "cut in the header": (good[:100], 422, "invalid-weights"),
        "more than announced": (good + b"more", 422, "invalid-weights"),
        "wrong offsets": (
            len(overlong).to_bytes(8, "little") + overlong + good[8 + length :],
            422,
            "invalid-weights",
        ),
        "text": (b"I am a model, believe me.\n" * 100, 415, "unsupported-format"),
        "executable": (b"\x7fELF" + bytes(2000), 415, "unsupported-format"),
    }


@pytest.mark.parametrize(
    "kind",
    [
        "empty",
        "truncated",
        "cut in the header",
        "more than announced",
        "wrong offsets",
        "text",
        "executable",
    ],
)
def test_bad_files_leave_no_trace(
    client: FlaskClient, settings: Settings, zoo_family: Zoo, tmp_path: Path, kind: str
) -> None:
    content, status, problem = make_bad_files(zoo_family.path("base").read_bytes())[kind]
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    found = check_problem(upload(client, path), status, problem)
    assert str(tmp_path) not in found["detail"]
    check_problem(client.put("/api/models?name=x", data=content), status, problem)
    with path.open("rb") as file:
        check_problem(client.post("/api/identify", data={"file": file}), status, problem)
    assert_no_trace(client, settings)


class Touch:
    """Unpickling it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.path,))


def test_nothing_in_a_file_runs(client: FlaskClient, settings: Settings, tmp_path: Path) -> None:
    import torch

    file, target = tmp_path / "evil.pt", tmp_path / "was-here"
    torch.save({"weight": torch.ones(8, 8), "evil": Touch(target)}, file)
    answer = upload(client, file)
    assert answer.status_code in (415, 422)
    assert not target.exists()
    assert_no_trace(client, settings)


def test_too_large_for_the_server(make_app: MakeApp, settings: Settings, zoo_family: Zoo) -> None:
    path = zoo_family.path("base")
    client = make_app(max_upload_bytes=path.stat().st_size - 1).test_client()
    check_problem(upload(client, path), 413, "file-too-large")
    check_problem(client.put("/api/models?name=x", data=path.read_bytes()), 413, "file-too-large")
    assert_no_trace(client, settings)
    client = make_app(max_upload_bytes=path.stat().st_size).test_client()
    assert upload(client, path).status_code == 201


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 201},
        {"name": "a\x00b"},
        {"name": "a\nb"},
        {"name": "a\x9bb"},
        {"description": "x" * 5001},
        {"description": "a\x07b"},
    ],
)
def test_texts_are_bounded(
    client: FlaskClient, settings: Settings, zoo_family: Zoo, fields: dict[str, str]
) -> None:
    answer = upload(client, zoo_family.path("base"), **fields)  # type: ignore[arg-type]
    check_problem(answer, 400, "invalid-request")
    assert_no_trace(client, settings)


def test_longest_texts(client: FlaskClient, zoo_family: Zoo) -> None:
    answer = upload(client, zoo_family.path("base"), name="ß" * 200, description="a\tb\r\n" * 1000)
    assert answer.status_code == 201
    assert answer.get_json()["model"]["name"] == "ß" * 200


@pytest.mark.parametrize(
    "form", [{}, {"name": "x"}, {"file": "text and no file"}], ids=["nothing", "name", "text"]
)
def test_forms_without_a_file(
    client: FlaskClient, settings: Settings, form: dict[str, str]
) -> None:
    answer = client.post("/api/models", data=form, content_type="multipart/form-data")
    check_problem(answer, 400, "invalid-request")
    assert_no_trace(client, settings)


def test_two_files(client: FlaskClient, settings: Settings, zoo_family: Zoo) -> None:
    with zoo_family.path("base").open("rb") as one, zoo_family.path("noisy").open("rb") as two:
        answer = client.post("/api/models", data={"file": [one, two]})
    assert "one file at a time" in check_problem(answer, 400, "invalid-request")["detail"]
    assert_no_trace(client, settings)


def test_broken_off_form(client: FlaskClient, settings: Settings) -> None:
    body = b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n" + b"data" * 1000
    answer = client.post("/api/models", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400
    assert_no_trace(client, settings)


# Reading -----------------------------------------------------------------------------------------


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
    ["limit=0", "limit=201", "limit=x", "sort=size", "status=good", "relation=cousin", "cursor=x"],
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
    assert client.get("/api/families").get_json() == {"families": [], "total": 0}


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


def test_a_missing_file_is_said(client: FlaskClient, make_app: MakeApp, zoo_family: Zoo) -> None:
    model = upload(client, zoo_family.path("base")).get_json()["model"]
    get_service(client.application).files.get_path(model["checksum"]).unlink()  # type: ignore[arg-type]
    problem = check_problem(client.get(model["weights_uri"]), 404, "not-found")
    assert "missing" in problem["detail"]


def test_compare(full_client: FlaskClient) -> None:
    models = list_models(full_client)
    base, noisy = models["base"]["id"], models["noisy"]["id"]
    answer = full_client.get(f"/api/models/{base}/compare/{noisy}").get_json()
    assert (answer["model_id"], answer["other_id"]) == (base, noisy)
    assert answer["distance"] > 0
    assert all(tensor["status"] for tensor in answer["tensors"])
    same = full_client.get(f"/api/models/{base}/compare/{base}").get_json()
    assert same["distance"] == 0


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
