"""Uploads that break off: a connection that is cut, a server that is killed."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from model_heritage_backend.client import Client, UploadInterrupted, uploads
from model_heritage_backend.errors import DuplicateModel, InvalidRequest
from tests.processes import RealServer

SIZE = 3_000_000


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(uploads, "TRIES", 3)
    monkeypatch.setattr(uploads, "PIECE", SIZE // 5)


def write_large(path: Path, seed: int) -> Path:
    weights = np.random.default_rng(seed).normal(size=(SIZE // 4000, 1000)).astype(np.float32)
    save_file({"w": weights}, path)
    return path


class CuttingLine:
    """A way to a server that breaks off after so many bytes, as often as told."""

    def __init__(self, port: int, *, after: int, times: int) -> None:
        self._target = port
        self._after = after
        self.cuts_left = times
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            for ends in ((client, server, True), (server, client, False)):
                thread = threading.Thread(target=self._carry, args=ends)
                thread.start()
                self._threads.append(thread)

    def _carry(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        carried = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
                carried += len(data)
                if up and carried > self._after and self.cuts_left > 0:
                    self.cuts_left -= 1
                    break
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


@contextlib.contextmanager
def cutting(port: int, *, after: int, times: int) -> Iterator[CuttingLine]:
    line = CuttingLine(port, after=after, times=times)
    try:
        yield line
    finally:
        line.close()


def test_an_upload_goes_on(tmp_path: Path) -> None:
    cut = write_large(tmp_path / "cut.safetensors", 1)
    killed = write_large(tmp_path / "killed.safetensors", 2)
    with RealServer(tmp_path / "uploads") as server:
        with (
            cutting(server.port, after=800_000, times=2) as line,
            Client(f"http://127.0.0.1:{line.port}") as client,
        ):
            check_cuts(client, line, cut)
        with (
            Client(f"http://127.0.0.1:{server.port}") as client,
            pytest.raises(UploadInterrupted) as interrupted,
        ):
            client.upload(
                killed,
                name="large",
                progress=lambda sent, _: server.kill() if sent > SIZE // 2 else None,
            )
    with (
        RealServer(tmp_path / "uploads") as server,
        Client(f"http://127.0.0.1:{server.port}") as client,
    ):
        check_resumed(client, killed, interrupted.value.extra["upload_id"])


def check_cuts(client: Client, line: CuttingLine, file: Path) -> None:
    sent: list[int] = []
    model = client.upload(file, name="cut ✓", tags=["x"], progress=lambda n, _: sent.append(n))
    assert line.cuts_left == 0
    assert client.download(model.id, file.with_name("again")).read_bytes() == file.read_bytes()
    assert (model.name, model.document["declared"]["tags"]) == ("cut ✓", ["x"])
    assert sent == sorted(sent)
    assert sent[-1] == file.stat().st_size
    with pytest.raises(DuplicateModel):
        client.upload(file)


def check_resumed(client: Client, file: Path, upload_id: str) -> None:
    other = file.with_name("other")
    other.write_bytes(b"x")
    with pytest.raises(InvalidRequest, match="not the file"):
        client.upload(other, resume=upload_id)
    sent: list[int] = []
    model = client.upload(file, resume=upload_id, progress=lambda n, _: sent.append(n))
    assert (model.name, model.document["file_size"]) == ("large", file.stat().st_size)
    assert sent[0] > SIZE // 2, "only what was missing is sent"
    assert client.upload(file, resume=upload_id) == model, "the last answer may be missed"
