from __future__ import annotations

import hashlib
import io
import json
import zipfile
from email.utils import parsedate_to_datetime

import pytest
from flask.testing import FlaskClient
from safetensors.numpy import load_file, save

from benchmarks.zoo import Zoo
from model_heritage_backend.config import Settings
from tests.routes.resuming import (
    BYTES,
    VERSION,
    announce,
    append,
    create,
    encode_checksum,
    encode_metadata,
    find_offset,
    get_state,
    send,
)
from tests.served import (
    MakeApp,
    check_problem,
    list_files,
    list_models,
    upload,
    wait_for_jobs,
)

EMPTY: dict[str, list[str]] = {"staging": [], "blobs": []}
CONTENT = bytes(range(256)) * 20


def list_resumable(settings: Settings) -> list[str]:
    return sorted(path.name for path in (settings.data_dir / "resumable").iterdir())


@pytest.fixture
def base(zoo_family: Zoo) -> bytes:
    return zoo_family.path("base").read_bytes()


def test_what_is_spoken(client: FlaskClient) -> None:
    answer = client.options("/api/uploads")
    assert answer.status_code in (200, 204)
    assert answer.headers["Tus-Resumable"] == answer.headers["Tus-Version"] == "1.0.0"
    extensions = answer.headers["Tus-Extension"].split(",")
    assert {"creation", "creation-with-upload", "expiration", "checksum", "termination"} == set(
        extensions
    )
    assert "sha1" in answer.headers["Tus-Checksum-Algorithm"].split(",")
    assert int(answer.headers["Tus-Max-Size"]) == 5 * 1024**3


def test_an_upload_becomes_a_model(client: FlaskClient, settings: Settings, base: bytes) -> None:
    words = {"filename": "ä b.safetensors", "name": "Näme", "description": "two\nlines"}
    words |= {"licence": "mit", "tags": "small, vision"}
    url, answer = send(client, base, **words)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Upload-Offset"] == str(len(base))
    state = get_state(client, url)
    assert (state["state"], state["offset"], state["length"]) == ("done", len(base), len(base))
    assert (state["filename"], state["name"]) == (words["filename"], words["name"])
    assert state["problem"] is state["existing_id"] is None
    assert state["model_id"] == answer.headers["Upload-Model"]
    assert state["job_id"] == answer.headers["Upload-Job"]
    wait_for_jobs(client)
    model = list_models(client)["Näme"]
    assert (model["id"], model["status"]) == (state["model_id"], "ok")
    assert (model["filename"], model["description"]) == (words["filename"], words["description"])
    declared = model["declared"]
    assert (declared["licence"], sorted(declared["tags"])) == ("mit", ["small", "vision"])
    checksum = hashlib.sha256(base).hexdigest()
    assert list_files(settings.data_dir) == {"staging": [], "blobs": [checksum]}
    # Asking for the last answer again.
    again = append(client, url, len(base), b"")
    assert (again.status_code, again.headers["Upload-Model"]) == (204, state["model_id"])
    # Forgetting the upload keeps the model.
    assert client.delete(url, headers=VERSION).status_code == 204
    check_problem(client.get(url), 404, "not-found")
    assert list_resumable(settings) == []
    with client.get(model["weights_uri"]) as downloaded:
        assert downloaded.data == base


def test_head_tells_where_it_stands(client: FlaskClient) -> None:
    url = create(client, len(CONTENT), filename="a", name="b")
    assert find_offset(client, url) == 0
    append(client, url, 0, CONTENT[:1000])
    answer = client.head(url, headers=VERSION)
    assert answer.headers["Upload-Offset"] == "1000"
    assert answer.headers["Upload-Length"] == str(len(CONTENT))
    assert answer.headers["Upload-Metadata"] == encode_metadata(filename="a", name="b")
    assert parsedate_to_datetime(answer.headers["Upload-Expires"]).tzinfo is not None
    assert answer.data == b""
    assert get_state(client, url)["state"] == "receiving"


def test_creation_with_upload(client: FlaskClient, base: bytes) -> None:
    sent = VERSION | {
        "Upload-Length": str(len(base)),
        "Upload-Metadata": encode_metadata(name="base"),
        "Content-Type": BYTES,
    }
    first = client.post("/api/uploads", data=base[:5000], headers=sent)
    assert (first.status_code, first.headers["Upload-Offset"]) == (201, "5000")
    rest = append(client, first.headers["Location"], 5000, base[5000:])
    assert rest.headers["Upload-Model"]
    whole = client.post("/api/uploads", data=base, headers=sent)
    problem = check_problem(whole, 409, "duplicate-model")
    assert problem["existing_id"] == rest.headers["Upload-Model"]
    assert get_state(client, f"/api/uploads/{problem['upload_id']}")["state"] == "failed"


def test_method_override(client: FlaskClient) -> None:
    url = create(client, len(CONTENT))
    sent = VERSION | {"Upload-Offset": "0", "Content-Type": BYTES}
    for method, status in (("PATCH", 204), ("HEAD", 200), ("DELETE", 204), ("BREW", 405)):
        override = {"X-HTTP-Method-Override": method}
        data = b"abc" if method == "PATCH" else b""
        assert client.post(url, data=data, headers=sent | override).status_code == status, method
    check_problem(client.get(url), 404, "not-found")
    # Elsewhere it means nothing.
    assert client.get("/api/models", headers={"X-HTTP-Method-Override": "PUT"}).status_code == 200


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_checksum(client: FlaskClient, settings: Settings, algorithm: str) -> None:
    url = create(client, len(CONTENT))
    right = encode_checksum(CONTENT[:1000], algorithm)
    assert append(client, url, 0, CONTENT[:1000], Upload_Checksum=right).status_code == 204
    answer = append(client, url, 1000, CONTENT[1000:2000], Upload_Checksum=right)
    check_problem(answer, 460, "checksum-mismatch")
    assert find_offset(client, url) == 1000
    right = encode_checksum(CONTENT[1000:2000], algorithm)
    append(client, url, 1000, CONTENT[1000:2000], Upload_Checksum=right)
    assert find_offset(client, url) == 2000
    stored = settings.data_dir / "resumable" / url.rsplit("/", 1)[1]
    assert stored.read_bytes() == CONTENT[:2000]


@pytest.mark.parametrize(
    ("headers", "status", "problem"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "unsupported-version"),
        ({"Tus-Resumable": ""}, 412, "unsupported-version"),
        ({"Upload-Length": ""}, 400, "invalid-request"),
        ({"Upload-Length": "-1"}, 400, "invalid-request"),
        ({"Upload-Length": "1_0"}, 400, "invalid-request"),
        ({"Upload-Length": str(2**63)}, 400, "invalid-request"),
        ({"Upload-Length": str(2**63 - 1)}, 413, "file-too-large"),
        ({"Upload-Defer-Length": "1"}, 400, "invalid-request"),
        ({"Upload-Concat": "partial"}, 400, "invalid-request"),
        ({"Upload-Metadata": ""}, 400, "invalid-request"),
        ({"Upload-Metadata": "name YQ==,name YQ=="}, 400, "invalid-request"),
        ({"Upload-Metadata": "name ?"}, 400, "invalid-request"),
        ({"Upload-Metadata": "name /w=="}, 400, "invalid-request"),
        ({"Upload-Metadata": " ,name YQ=="}, 400, "invalid-request"),
        ({"Upload-Metadata": "näme YQ=="}, 400, "invalid-request"),
        ({"Upload-Metadata": encode_metadata(name="a\x00")}, 400, "invalid-request"),
        ({"Upload-Metadata": encode_metadata(name="a" * 201)}, 400, "invalid-request"),
        ({"Upload-Metadata": encode_metadata(name="a", part="2")}, 400, "invalid-request"),
        (
            {"Upload-Metadata": encode_metadata(filename="model-00001-of-00002.safetensors")},
            422,
            "invalid-weights",
        ),
        ({"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
    ],
)
def test_announcements_that_are_refused(
    client: FlaskClient, settings: Settings, headers: dict[str, str], status: int, problem: str
) -> None:
    check_problem(announce(client, 10, headers=headers), status, problem)
    assert list_resumable(settings) == []


@pytest.mark.parametrize(
    ("headers", "status", "problem"),
    [
        ({"Tus-Resumable": "2.0.0"}, 412, "unsupported-version"),
        ({"Content-Type": "application/octet-stream"}, 415, "unsupported-media-type"),
        ({"Upload-Offset": "0"}, 409, "conflict"),
        ({"Upload-Offset": "6"}, 409, "conflict"),
        ({"Upload-Offset": "five"}, 400, "invalid-request"),
        ({"Upload-Offset": ""}, 400, "invalid-request"),
        ({"Upload-Checksum": "md5 AAAA"}, 400, "invalid-request"),
        ({"Upload-Checksum": "sha1 AAAA"}, 400, "invalid-request"),
        ({"Upload-Checksum": "sha1 ?"}, 400, "invalid-request"),
        ({"Upload-Checksum": encode_checksum(b"other")}, 460, "checksum-mismatch"),
    ],
)
def test_bytes_that_are_refused(
    client: FlaskClient, headers: dict[str, str], status: int, problem: str
) -> None:
    url = create(client, 100)
    append(client, url, 0, b"first")
    sent = VERSION | {"Upload-Offset": "5", "Content-Type": BYTES} | headers
    answer = client.patch(url, data=b"second", headers=sent)
    check_problem(answer, status, problem)
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert ("Tus-Version" in answer.headers) == (status == 412)
    assert find_offset(client, url) == 5


def test_unknown_uploads(client: FlaskClient) -> None:
    for name in ("u_" + "0" * 32, "..%2f..", "complete", "x" * 3000, "é"):
        url = f"/api/uploads/{name}"
        assert client.head(url, headers=VERSION).status_code == 404
        check_problem(client.get(url), 404, "not-found")
        check_problem(append(client, url, 0, b""), 404, "not-found")
        check_problem(client.delete(url, headers=VERSION), 404, "not-found")
    assert client.head("/api/uploads/u_0").status_code == 412


def test_more_than_announced(client: FlaskClient) -> None:
    url = create(client, 10)
    check_problem(append(client, url, 0, b"x" * 11), 413, "file-too-large")
    append(client, url, 0, b"x" * 5)
    check_problem(append(client, url, 5, b"x" * 6), 413, "file-too-large")
    assert find_offset(client, url) == 5


def test_a_body_that_breaks_off(client: FlaskClient) -> None:
    """What came is kept, unless it was to be checked as a whole."""
    url = create(client, 100)
    for checksum in ({}, {"Upload-Checksum": encode_checksum(b"x" * 50)}):
        answer = client.patch(
            url,
            headers=VERSION | {"Upload-Offset": str(find_offset(client, url))} | checksum,
            content_type=BYTES,
            input_stream=io.BytesIO(b"x" * 20),
            environ_overrides={"CONTENT_LENGTH": "50"},
        )
        check_problem(answer, 400, "invalid-request")
        assert find_offset(client, url) == 20


@pytest.mark.parametrize(
    ("content", "status", "problem"),
    [
        (b"", 415, "unsupported-format"),
        (b"I am a model, believe me.", 415, "unsupported-format"),
        ((10).to_bytes(8, "little") + b"{" + bytes(90), 422, "invalid-weights"),
    ],
)
def test_files_that_are_refused(
    client: FlaskClient, settings: Settings, content: bytes, status: int, problem: str
) -> None:
    """The last answer says why, also when it is asked for again; the bytes go."""
    if content:
        url = create(client, len(content))
        answer = append(client, url, 0, content)
    else:
        answer = announce(client, 0)
        url = f"/api/uploads/{answer.get_json()['upload_id']}"
    refused = check_problem(answer, status, problem)
    state = get_state(client, url)
    assert state["state"] == "failed"
    assert {k: state["problem"][k] for k in ("type", "status", "detail")} == {
        k: refused[k] for k in ("type", "status", "detail")
    }
    check_problem(append(client, url, len(content), b""), status, problem)
    assert list_resumable(settings) == [f"{state['id']}.json"]
    assert list_files(settings.data_dir) == EMPTY


def test_duplicate(client: FlaskClient, settings: Settings, zoo_family: Zoo, base: bytes) -> None:
    model_id = upload(client, zoo_family.path("base"), name="base").get_json()["model_id"]
    url, answer = send(client, base)
    problem = check_problem(answer, 409, "duplicate-model")
    state = get_state(client, url)
    assert state["existing_id"] == problem["existing_id"] == model_id
    assert len(list_files(settings.data_dir)["blobs"]) == 1


def test_a_page_elsewhere_sees_the_headers(client: FlaskClient) -> None:
    origin = {"Origin": "http://localhost:5173"}
    asked = {
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "tus-resumable,upload-offset,content-type",
    }
    answer = client.options("/api/uploads/u_0", headers=origin | asked)
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert "upload-offset" in answer.headers["Access-Control-Allow-Headers"].lower()
    answer = announce(client, 5, headers=origin)
    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert {"Location", "Upload-Offset", "Upload-Model"} <= set(exposed.split(", "))
    foreign = announce(client, 5, headers={"Origin": "http://evil.example"})
    check_problem(foreign, 403, "foreign-origin")


# Parts -------------------------------------------------------------------------------------------


def make_parts(zoo_family: Zoo, name: str) -> list[tuple[str, bytes]]:
    """A model of the zoo in two files with their index."""
    tensors = load_file(zoo_family.path(name))
    names = sorted(tensors)
    halves = {f"model-0000{n + 1}-of-00002.safetensors": names[n::2] for n in range(2)}
    files = [(part, save({n: tensors[n] for n in inside})) for part, inside in halves.items()]
    places = {name: part for part, inside in halves.items() for name in inside}
    index = json.dumps({"weight_map": places}).encode()
    return [*files, ("model.safetensors.index.json", index)]


def test_parts_become_one_model(client: FlaskClient, settings: Settings, zoo_family: Zoo) -> None:
    upload(client, zoo_family.path("base"), name="base")
    files = make_parts(zoo_family, "noisy")
    urls = []
    for name, content in files[:2]:
        url, answer = send(client, content, filename=name, part="1")
        assert (answer.status_code, "Upload-Model" in answer.headers) == (204, False)
        assert get_state(client, url)["state"] == "received"
        urls.append(url)
    ids = [url.rsplit("/", 1)[1] for url in urls]
    unfinished = create(client, 10, filename="x", part="1").rsplit("/", 1)[1]
    alone = create(client, 10, filename="x").rsplit("/", 1)[1]
    for wrong in ([*ids, unfinished], [alone]):
        answer = client.post("/api/uploads/complete", json={"uploads": wrong})
        check_problem(answer, 409, "conflict")
    # One is missing still: it may be sent.
    answer = client.post("/api/uploads/complete", json={"uploads": ids[:1]})
    check_problem(answer, 422, "invalid-weights")
    url, _ = send(client, files[2][1], filename=files[2][0], part="1")
    ids.append(url.rsplit("/", 1)[1])
    wanted = {"uploads": ids, "name": "parts", "description": "joined"}
    answer = client.post("/api/uploads/complete", json=wanted)
    assert answer.status_code == 201, answer.get_json()
    body = answer.get_json()
    assert (body["relation"], body["model"]["parent_name"]) == ("finetune", "base")
    assert (body["model"]["name"], body["model"]["description"]) == ("parts", "joined")
    assert {get_state(client, url)["model_id"] for url in urls} == {body["model_id"]}
    with client.get(f"/api/models/{body['model_id']}/download") as sent:
        archive = zipfile.ZipFile(io.BytesIO(sent.data))
        assert sorted((n, archive.read(n)) for n in archive.namelist()) == sorted(files)
    problem = check_problem(
        client.post("/api/uploads/complete", json=wanted), 409, "duplicate-model"
    )
    assert problem["existing_id"] == body["model_id"]
    assert [name for name in list_resumable(settings) if "." not in name] == sorted(
        [unfinished, alone]
    )


def test_parts_of_a_duplicate_go(client: FlaskClient, settings: Settings, zoo_family: Zoo) -> None:
    for attempt in range(2):
        ids = []
        for name, content in make_parts(zoo_family, "noisy"):
            url, _ = send(client, content, filename=name, part="1")
            ids.append(url.rsplit("/", 1)[1])
        answer = client.post("/api/uploads/complete", json={"uploads": ids})
        assert answer.status_code == (409 if attempt else 201)
    assert get_state(client, url)["existing_id"] == answer.get_json()["existing_id"]
    assert [name for name in list_resumable(settings) if "." not in name] == []


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"uploads": []},
        {"uploads": ["u_1"]},
        {"uploads": ["u_" + "0" * 32] * 2},
        {"uploads": ["u_" + "0" * 32], "name": 5},
        {"uploads": "u_" + "0" * 32},
        ["u_" + "0" * 32],
    ],
)
def test_joins_that_are_refused(client: FlaskClient, wanted: object) -> None:
    answer = client.post("/api/uploads/complete", json=wanted)
    check_problem(answer, 400, "invalid-request")
    missing = {"uploads": ["u_" + "0" * 32]}
    check_problem(client.post("/api/uploads/complete", json=missing), 404, "not-found")


# Limits ------------------------------------------------------------------------------------------


def test_limits_are_settings(make_app: MakeApp) -> None:
    client = make_app(max_upload_bytes=1000, max_unfinished_bytes=1500).test_client()
    check_problem(announce(client, 1001), 413, "file-too-large")
    first = create(client, 1000)
    check_problem(announce(client, 501), 507, "insufficient-storage")
    create(client, 500)
    client.delete(first, headers=VERSION)
    create(client, 1000)


def test_expiry_is_a_setting(make_app: MakeApp, settings: Settings) -> None:
    client = make_app(upload_expiry_hours=0.1).test_client()
    answer = announce(client, 10)
    told = parsedate_to_datetime(answer.headers["Upload-Expires"]).timestamp()
    path = settings.data_dir / "resumable" / answer.headers["Location"].rsplit("/", 1)[1]
    assert told - path.stat().st_mtime == pytest.approx(360, abs=2)
