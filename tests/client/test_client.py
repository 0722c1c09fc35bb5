"""The client against a server in a process of its own."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from safetensors.numpy import load_file, save_file

from model_heritage_backend.client import Client, JobFailed, RemoteModel, ServerProblem
from model_heritage_backend.errors import (
    DuplicateModel,
    InvalidRequest,
    NotFound,
    ServerUnreachable,
    UnsupportedFormat,
)
from tests.processes import RealServer
from tests.tiny_models import make_tiny_models


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with RealServer(tmp_path_factory.mktemp("uploads")) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: RealServer) -> Iterator[Client]:
    with Client(f"http://127.0.0.1:{server.port}/") as client:
        yield client


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def family(client: Client, models: Path) -> dict[str, RemoteModel]:
    """base, tuned and half by name, on the server."""
    return {
        "base": client.upload(models / "base.safetensors", licence="mit", tags=["a", "b c"]),
        "tuned": client.upload(models / "tuned.safetensors", description="Mensch, ✓"),
        "half": client.upload(models / "half.safetensors", base_model="tuned"),
    }


def test_upload_gives_the_place(family: dict[str, RemoteModel], client: Client) -> None:
    base, tuned, half = family.values()
    assert (tuned.parent_id, tuned.relation, tuned.status) == (base.id, "adapter", "ok")
    assert (half.parent_id, half.relation) == (tuned.id, "cast")
    assert base.document["declared"]["licence"] == "mit"
    assert base.document["declared"]["tags"] == ["a", "b c"]
    assert tuned.document["description"] == "Mensch, ✓"
    assert [model.name for model in client.list_models(tags=["a", "b c"])] == ["base"]
    assert client.find_model("tuned") == client.get_model(tuned.id)
    assert client.find_model("tune") is None


def test_lists_go_on_over_pages(
    family: dict[str, RemoteModel], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_heritage_backend.client.jobs.PAGE", 1)
    assert [m.name for m in client.list_models(family=family["base"].family_id)] == sorted(family)
    assert len(list(client.list_jobs(state="done"))) >= 3


def test_families_and_lines(family: dict[str, RemoteModel], client: Client) -> None:
    base, tuned, half = family.values()
    (first, *_) = client.list_families()
    assert (first.size, first.root_id) == (3, base.id)
    assert client.get_family(first.id) == first
    graph = client.tree(first.id)
    assert set(graph.edges) == {(base.id, tuned.id), (tuned.id, half.id)}
    assert graph.edges[base.id, tuned.id]["relation"] == "adapter"
    assert graph.nodes[base.id]["name"] == "base"
    line = client.lineage(half.id)
    assert [(m.name, m.relation) for m in line] == [
        ("base", None),
        ("tuned", "adapter"),
        ("half", "cast"),
    ]
    assert line[2].reasons
    assert client.compare(base.id, half.id)["kinship"]["kind"] == "descendant"
    assert json.loads(client.export())["schema"] == "model-heritage/1"
    assert "tuned" in client.export("model-card", model=half.id)


def test_identify_keeps_nothing(
    family: dict[str, RemoteModel], client: Client, models: Path, tmp_path: Path
) -> None:
    weights = load_file(models / "tuned.safetensors")
    odd = tmp_path / 'new "ünï; x.safetensors'
    save_file({name: w * 0.999 for name, w in weights.items()}, odd)
    sent: list[tuple[int, int]] = []
    place = client.identify(odd, progress=lambda done, of: sent.append((done, of)))
    assert place.family_id == family["base"].family_id
    assert place.existing_id is None
    assert {"tuned"} <= {model.name for model in place.candidates + place.children}
    assert sent[-1] == (odd.stat().st_size, odd.stat().st_size)
    assert client.find_model(odd.stem) is None


def test_a_folder_of_parts(
    family: dict[str, RemoteModel], client: Client, models: Path, tmp_path: Path
) -> None:
    weights = load_file(models / "tuned.safetensors")
    names = sorted(weights)
    for number, part in enumerate((names[:3], names[3:]), 1):
        file = tmp_path / "sharded" / f"model-{number:05}-of-00002.safetensors"
        file.parent.mkdir(exist_ok=True)
        save_file({name: weights[name] + 1e-4 for name in part}, file)
    model = client.upload(tmp_path / "sharded", name="of two parts")
    assert (model.name, model.family_id) == ("of two parts", family["base"].family_id)
    client.delete_model(model.id)
    with pytest.raises(NotFound):
        client.get_model(model.id)


def test_download(family: dict[str, RemoteModel], client: Client, tmp_path: Path) -> None:
    path = client.download(family["base"].id, tmp_path / "again.safetensors")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == family["base"].checksum
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(NotFound):
        client.download("m_none", tmp_path / "none")
    assert list(tmp_path.iterdir()) == [path]


def test_refusals_have_their_types(
    family: dict[str, RemoteModel], client: Client, models: Path, tmp_path: Path
) -> None:
    with pytest.raises(DuplicateModel, match="stored as 'base'") as duplicate:
        client.upload(models / "base.safetensors", name="other")
    assert duplicate.value.extra["existing_id"] == family["base"].id
    (tmp_path / "text.pt").write_text("I am a model, believe me.")
    with pytest.raises(UnsupportedFormat):
        client.upload(tmp_path / "text.pt")
    with pytest.raises(UnsupportedFormat):
        client.identify(tmp_path / "text.pt")
    with pytest.raises(InvalidRequest) as invalid:
        list(client.list_models(sort="nonsense"))
    assert "errors" in invalid.value.extra
    with pytest.raises(NotFound):
        client.get_model("../families?x=/")
    with pytest.raises(NotFound, match="There is no file"):
        client.upload(tmp_path / "nowhere")
    with pytest.raises(ServerProblem) as other:
        client._transport.send("PUT", "/health")
    assert (other.value.type, other.value.status) == ("method-not-allowed", 405)


def test_jobs(family: dict[str, RemoteModel], client: Client) -> None:
    job = client.wait_for_job(client.recluster().id, timeout=240)
    assert (job.kind, job.state, job.progress) == ("recluster", "done", 1.0)
    assert (job.result or {})["families_solved"] == 0
    forced = client.wait_for_job(client.recluster(force=True).id, timeout=240)
    assert (forced.result or {})["families_solved"] > 0
    with pytest.raises(NotFound):
        client.wait_for_job("j_none")


class Recorder(BaseHTTPRequestHandler):
    """Answers as told and remembers what was asked."""

    answer: tuple[int, bytes] = (200, b"{}")
    seen: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers["Authorization"])
        status, body = self.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@contextmanager
def stand_in(status: int, body: object) -> Iterator[tuple[str, list[str | None]]]:
    """A server that always answers the same."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    class Handler(Recorder):
        answer = (status, content)
        seen: ClassVar[list[str | None]] = []

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", Handler.seen
        finally:
            server.shutdown()
            thread.join()


def test_what_is_no_such_server(monkeypatch: pytest.MonkeyPatch) -> None:
    port = RealServer.find_port()
    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(ServerUnreachable):
        client.get_model("m")
    for status, body in ((200, b"<html>"), (404, b"nothing"), (200, [1])):
        with (
            stand_in(status, body) as (url, _),
            Client(url) as client,
            pytest.raises(ServerUnreachable, match="no Model Heritage server"),
        ):
            client.get_model("m")
    with pytest.raises(InvalidRequest, match="begins with http"):
        Client("localhost:5001")


def test_the_token_is_sent_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    problem = {"type": "/problems/not-found", "detail": "No.", "status": 404}
    with stand_in(404, problem) as (url, seen), Client(url, token="s3cret") as client:
        with pytest.raises(NotFound, match=r"No\."):
            client.get_model("m")
        assert seen == ["Bearer s3cret"]
        assert "s3cret" not in repr(client) + repr(vars(client))


def test_a_job_without_success() -> None:
    job = {"id": "j", "kind": "process", "state": "failed", "progress": 0.5, "model_id": "m_1"}
    with (
        stand_in(200, job | {"error": "The disk is gone.", "result": None}) as (url, _),
        Client(url) as client,
        pytest.raises(JobFailed, match="disk is gone") as failed,
    ):
        client.wait_for_job("j")
    assert failed.value.extra == {"job_id": "j", "model_id": "m_1"}


def test_waiting_ends() -> None:
    job = {"id": "j", "kind": "process", "state": "running", "progress": 0.5, "model_id": None}
    with (
        stand_in(200, job | {"error": None, "result": None}) as (url, _),
        Client(url) as client,
        pytest.raises(TimeoutError),
    ):
        client.wait_for_job("j", timeout=0.1)
