from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from safetensors.numpy import load_file, save
from werkzeug.test import TestResponse

from benchmarks.zoo import Zoo
from model_heritage_backend.config import Settings
from model_heritage_backend.errors import InvalidRequest
from tests.served import (
    MakeApp,
    check_problem,
    list_files,
    upload,
)

EMPTY = {"staging": [], "blobs": []}


def assert_no_trace(client: FlaskClient, settings: Settings) -> None:
    assert list_files(settings.data_dir) == EMPTY
    assert client.get("/api/models").get_json()["total"] == 0
    assert client.get("/api/jobs").get_json()["total"] == 0


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
    client: FlaskClient, settings: Settings, zoo_family: Zoo, fields: dict[str, Any]
) -> None:
    answer = upload(client, zoo_family.path("base"), **fields)
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


def send_files(client: FlaskClient, files: list[tuple[str, bytes]]) -> TestResponse:
    streams = [(io.BytesIO(content), name) for name, content in files]
    return client.post("/api/models", data={"file": streams, "name": "parts"})


def test_two_models_at_once(client: FlaskClient, settings: Settings, zoo_family: Zoo) -> None:
    contents = [(n, zoo_family.path(n).read_bytes()) for n in ("base", "noisy")]
    answer = send_files(client, [(f"{name}.safetensors", content) for name, content in contents])
    assert "several models" in check_problem(answer, 422, "invalid-weights")["detail"]
    answer = send_files(client, [("a.safetensors", contents[0][1])] * 2)
    assert "same name" in check_problem(answer, 400, "invalid-request")["detail"]
    assert_no_trace(client, settings)


def test_parts_with_their_index_are_one_model(client: FlaskClient, zoo_family: Zoo) -> None:
    """In any order: the same model, and a child where it belongs."""
    upload(client, zoo_family.path("base"), name="base")
    tensors = load_file(zoo_family.path("noisy"))
    names = sorted(tensors)
    halves = {f"model-0000{n + 1}-of-00002.safetensors": names[n::2] for n in range(2)}
    files = [(part, save({n: tensors[n] for n in inside})) for part, inside in halves.items()]
    places = {name: part for part, inside in halves.items() for name in inside}
    index = json.dumps({"weight_map": places}).encode()
    files.append(("model.safetensors.index.json", index))
    answer = send_files(client, files)
    assert answer.status_code == 201, answer.get_json()
    body = answer.get_json()
    assert body["relation"] == "finetune"
    assert body["model"]["parent_name"] == "base"
    assert body["model"]["format"] == "safetensors-sharded"
    again = send_files(client, files[::-1])
    assert again.status_code == 409
    assert again.get_json()["existing_id"] == body["model_id"]
    with client.get(f"/api/models/{body['model_id']}/download") as sent:
        archive = zipfile.ZipFile(io.BytesIO(sent.data))
        assert sorted((n, archive.read(n)) for n in archive.namelist()) == sorted(files)


def test_broken_off_form(client: FlaskClient, settings: Settings) -> None:
    body = b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n" + b"data" * 1000
    answer = client.post("/api/models", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400
    assert_no_trace(client, settings)


def test_a_part_alone(client: FlaskClient, settings: Settings, zoo_family: Zoo) -> None:
    content = zoo_family.path("base").read_bytes()
    address = "/api/models?name=base&filename=model-00001-of-00002.safetensors"
    answer = client.put(address, data=content)
    assert "one of 2 parts" in check_problem(answer, 422, "invalid-weights")["detail"]
    assert_no_trace(client, settings)
    whole = address.replace("00002.", "00001.")
    assert client.put(whole, data=content).status_code == 201


def test_a_file_under_the_name_of_another_format(client: FlaskClient, zoo_family: Zoo) -> None:
    content = zoo_family.path("base").read_bytes()
    answer = client.put("/api/models?name=base&filename=base.pt", data=content)
    assert answer.status_code == 201
    assert answer.get_json()["model"]["quality"] == ["misnamed"]


def test_limits_of_the_reader_are_settings(make_app: MakeApp, zoo_family: Zoo) -> None:
    client = make_app(reader_limits={"tensors": 3}).test_client()
    answer = upload(client, zoo_family.path("base"))
    assert "more than 3 tensors" in check_problem(answer, 422, "invalid-weights")["detail"]
    with pytest.raises(InvalidRequest, match="'tensor' is no limit"):
        make_app(reader_limits={"tensor": 3})
    with pytest.raises(InvalidRequest, match="below 1"):
        make_app(reader_limits={"tensors": 0})
    assert upload(make_app().test_client(), zoo_family.path("base")).status_code == 201
