"""Requests in the forms in which real clients send them."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from tests.chaos.checkpoints import make_checkpoint
from tests.chaos.servers import Nursery, Victim

ASK = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("worker")
    with Nursery(folder / "server.log") as nursery:
        victim = Victim(nursery, folder / "data")
        victim.data_dir.mkdir()
        victim.start()
        victim.wait()
        yield victim
        victim.kill()


@pytest.fixture
def client(victim: Victim) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", victim.port), timeout=120) as client:
        yield client


def read_answer(client: socket.socket) -> bytes:
    """Head and body of one answer that tells its length, and no byte more."""
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        piece = client.recv(1)
        if not piece:
            return answer
        answer += piece
    length = int(answer.lower().partition(b"content-length:")[2].split()[0])
    return answer + client.recv(length, socket.MSG_WAITALL)


def test_a_head_in_pieces(client: socket.socket) -> None:
    for start in range(0, len(ASK), 9):
        client.sendall(ASK[start : start + 9])
        time.sleep(0.02)
    assert read_answer(client).startswith(b"HTTP/1.1 200")


def test_one_connection_for_many_requests(client: socket.socket) -> None:
    for _ in range(3):
        client.sendall(ASK)
        assert read_answer(client).startswith(b"HTTP/1.1 200")
        time.sleep(0.05)


def test_requests_behind_each_other(client: socket.socket) -> None:
    client.sendall(ASK * 3)
    for _ in range(3):
        assert read_answer(client).startswith(b"HTTP/1.1 200")


def test_a_body_that_waits_to_be_asked_for(client: socket.socket) -> None:
    """As curl sends large files."""
    content = make_checkpoint(0)
    client.sendall(
        b"PUT /api/models?name=a&filename=a.safetensors HTTP/1.1\r\nHost: localhost\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(content)
    )
    assert client.recv(100).startswith(b"HTTP/1.1 100")
    client.sendall(content)
    assert read_answer(client).startswith(b"HTTP/1.1 201")


def test_a_head_without_end(client: socket.socket) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(40):
            client.sendall(b"X: " + b"y" * 8000)
        # Where bytes are left unread, the system may cut the answer off.
        assert client.recv(4096)[9:12] in (b"431", b"")
