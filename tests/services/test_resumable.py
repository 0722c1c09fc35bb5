"""Resumable uploads through failures and restarts of the server."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from safetensors.numpy import save

from benchmarks.zoo import Zoo
from model_heritage_backend.config import Settings
from model_heritage_backend.errors import InsufficientStorage
from model_heritage_backend.models import receptions
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.services import intake
from tests.processes import RealServer
from tests.routes.resuming import (
    BYTES,
    VERSION,
    append,
    create,
    encode_metadata,
    find_offset,
    get_state,
    send,
)
from tests.served import MakeApp, check_problem, list_files, list_models, upload, wait_for_jobs
from tests.test_journey import wait_for


class Killed(BaseException):
    """Ends a request as the end of the process would."""


@pytest.fixture
def base(zoo_family: Zoo) -> bytes:
    return zoo_family.path("base").read_bytes()


def get_folder(settings: Settings) -> Path:
    return settings.data_dir / "resumable"


def wait_until_settled(client: FlaskClient, url: str) -> dict[str, Any]:
    wait_for(lambda: get_state(client, url)["state"] in ("done", "failed"))
    return get_state(client, url)


def interrupt(
    client: FlaskClient, settings: Settings, url: str, content: bytes, method: Any
) -> None:
    """Send everything to a server that dies in the middle of ``method`` of the lake."""
    with pytest.MonkeyPatch.context() as patch:

        def die(*_: Any) -> None:
            raise Killed

        patch.setattr(Lake, method, die)
        # What a living process would still clear up.
        patch.setattr(type(client.application.extensions["model_heritage"].files), "retract", die)
        with pytest.raises(Killed):
            append(client, url, find_offset(client, url), content)


def test_it_goes_on_after_a_restart(make_app: MakeApp, base: bytes) -> None:
    client = make_app().test_client()
    url = create(client, len(base), name="base")
    append(client, url, 0, base[:7000])
    client = make_app().test_client()
    assert find_offset(client, url) == 7000
    answer = append(client, url, 7000, base[7000:])
    assert answer.status_code == 204
    wait_for_jobs(client)
    assert list_models(client)["base"]["checksum"] == hashlib.sha256(base).hexdigest()
    again = make_app().test_client()
    assert get_state(again, url)["model_id"] == answer.headers["Upload-Model"]


@pytest.mark.parametrize("method", ["find_by_checksum", "add"])
def test_whole_but_not_stored(
    make_app: MakeApp, settings: Settings, base: bytes, method: str
) -> None:
    """Killed before the bytes were moved into the store, and between that and the row."""
    client = make_app().test_client()
    url = create(client, len(base), name="base")
    interrupt(client, settings, url, base, method)
    moved = list_files(settings.data_dir)["blobs"]
    assert len(moved) == (method == "add")
    client = make_app().test_client()
    state = wait_until_settled(client, url)
    assert (state["state"], state["offset"]) == ("done", len(base))
    wait_for_jobs(client)
    model = list_models(client)["base"]
    assert (model["id"], model["status"]) == (state["model_id"], "ok")
    assert list_files(settings.data_dir) == {"staging": [], "blobs": [model["checksum"]]}


def test_stored_but_not_told(make_app: MakeApp, settings: Settings, base: bytes) -> None:
    client = make_app().test_client()
    url, answer = send(client, base, name="base")
    record = next(get_folder(settings).glob("*.json"))
    values = json.loads(record.read_text())
    values |= {"state": "processing", "model_id": None, "job_id": None}
    record.write_text(json.dumps(values))
    client = make_app().test_client()
    state = get_state(client, url)
    assert (state["state"], state["model_id"]) == ("done", answer.headers["Upload-Model"])
    # Bytes that are nowhere: the sender has to begin again.
    client.delete(f"/api/models/{state['model_id']}")
    record.write_text(json.dumps(values))
    check_problem(make_app().test_client().get(url), 404, "not-found")


def test_a_file_that_ends_the_server_is_given_up(
    make_app: MakeApp, settings: Settings, base: bytes
) -> None:
    client = make_app().test_client()
    url = create(client, len(base), name="base")
    interrupt(client, settings, url, base, "find_by_checksum")
    record = next(get_folder(settings).glob("*.json"))
    values = json.loads(record.read_text())
    assert values["attempts"] == 1
    record.write_text(json.dumps(values | {"attempts": 3}))
    state = wait_until_settled(make_app().test_client(), url)
    assert state["state"] == "failed"
    assert "given up" in state["problem"]["detail"]
    assert [path.suffix for path in get_folder(settings).iterdir()] == [".json"]


@pytest.mark.parametrize("again", ["patch", "restart"])
def test_no_fault_of_the_file(
    make_app: MakeApp, base: bytes, again: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be tried again, with nothing sent again."""
    client = make_app().test_client()
    url = create(client, len(base), name="base")
    with monkeypatch.context() as patch:

        def refuse(*_: object) -> None:
            raise InsufficientStorage("There is no room left for the database.")

        patch.setattr(Lake, "add", refuse)
        check_problem(append(client, url, 0, base), 507, "insufficient-storage")
        state = get_state(client, url)
        assert (state["state"], state["problem"]["status"]) == ("received", 507)
    if again == "patch":
        assert append(client, url, len(base), b"").status_code == 204
    else:
        client = make_app().test_client()
    state = wait_until_settled(client, url)
    assert (state["state"], state["problem"]) == ("done", None)
    wait_for_jobs(client)
    assert list_models(client)["base"]["status"] == "ok"


def test_something_unexpected(
    client: FlaskClient, base: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(intake, "open_weights", fail)
    url, answer = send(client, base, name="base")
    check_problem(answer, 500, "internal-error")
    state = get_state(client, url)
    assert (state["state"], state["problem"]["status"]) == ("failed", 500)
    assert "mistake" not in str(state)


def test_another_request_works_on_it(
    client: FlaskClient, base: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receptions, "TURN_SECONDS", 0.01)
    url = create(client, len(base), name="base")
    service = client.application.extensions["model_heritage"]
    with service.resumable.get(url.rsplit("/", 1)[1]).turn:
        check_problem(append(client, url, 0, base), 423, "upload-busy")
        check_problem(client.delete(url, headers=VERSION), 423, "upload-busy")
        assert find_offset(client, url) == 0
    assert append(client, url, 0, base).status_code == 204


def test_the_same_file_many_times_at_once(client: FlaskClient, zoo_family: Zoo) -> None:
    path = zoo_family.path("base")
    content = path.read_bytes()
    app = client.application

    def go(number: int) -> tuple[int, str]:
        own = app.test_client()
        if number % 3 == 0:
            answer = upload(own, path, name=f"{number}")
        elif number % 3 == 1:
            answer = own.put(f"/api/models?name={number}", data=content)
        else:
            _, answer = send(own, content, name=f"{number}")
            if answer.status_code == 204:
                return 201, answer.headers["Upload-Model"]
        body = answer.get_json()
        return answer.status_code, body.get("existing_id") or body["model_id"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(go, range(16)))
    assert sorted(status for status, _ in answers) == [201] + [409] * 15
    assert len({model_id for _, model_id in answers}) == 1
    assert client.get("/api/models").get_json()["total"] == 1


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """A real server: what is on the disk is the offset, and the rest is enough."""
    content = save({"weight": np.random.default_rng(1).standard_normal((1000, 1000))})
    folder = tmp_path / "uploads"
    words = {
        "Upload-Length": str(len(content)),
        "Upload-Metadata": encode_metadata(filename="a.safetensors"),
    }
    with RealServer(folder) as server:
        connection = server.connect()
        connection.request("POST", "/api/uploads", headers=VERSION | words)
        answer = connection.getresponse()
        answer.read()
        url = answer.headers["Location"]
        stored = folder / "resumable" / url.rsplit("/", 1)[1]
        begin_patch(connection, url, 0, len(content))
        connection.send(content[:4_000_000])
        wait_for(lambda: stored.stat().st_size > 3_000_000)
        server.kill()
        connection.close()
    with RealServer(folder) as server:
        offset = server.ask("GET", url)[1]["offset"]
        assert offset == stored.stat().st_size > 3_000_000
        connection = server.connect()
        begin_patch(connection, url, offset, len(content) - offset)
        connection.send(content[offset:])
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 204
        connection.request("GET", f"/api/models/{answer.headers['Upload-Model']}/download")
        assert connection.getresponse().read() == content
        connection.close()


def begin_patch(connection: HTTPConnection, url: str, offset: int, length: int) -> None:
    headers = {"Upload-Offset": str(offset), "Content-Length": str(length), "Content-Type": BYTES}
    connection.putrequest("PATCH", url)
    for name, value in (VERSION | headers).items():
        connection.putheader(name, value)
    connection.endheaders()
