"""A server that is asked while it is still starting."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend.places import PROJECT
from tests.processes import hold_port

SECONDS = 200.0
CROWD = 40
"""More than a server has threads."""
CODE = """
import pathlib, sys, time
from model_heritage_backend import server

class SlowServer(server.Server):
    def load(self):
        while not (found := list(pathlib.Path(sys.argv[1]).glob("go-*"))):
            time.sleep(0.02)
        if found[0].name == "go-wrong":
            raise RuntimeError("as planned")
        return super().load()

server.Server = SlowServer
# On a slow machine an application takes longer to load than a server has to stop.
server.GRACE_SECONDS = 200
sys.exit(server.serve())
"""


class SlowStart:
    """A server that makes its application when it is told to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = hold_port()
        data = folder / "data"
        data.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE, str(folder)],
            cwd=PROJECT,
            env={
                **os.environ,
                "MODEL_HERITAGE_DATA_DIR": str(data),
                "MODEL_HERITAGE_PORT": str(self.port),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def go_on(self, how: str = "well") -> None:
        (self._folder / f"go-{how}").touch()

    def ask(self, path: str, method: str = "GET") -> tuple[int, Any, http.client.HTTPMessage]:
        deadline = time.monotonic() + SECONDS
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
            try:
                connection.request(method, path)
                answer = connection.getresponse()
                content = answer.read()
                return answer.status, json.loads(content) if content else None, answer.headers
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            finally:
                connection.close()

    def end(self) -> tuple[int, str]:
        """(exit code, standard error) of a server that ends."""
        _, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, errors


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SlowStart]:
    server = SlowStart(tmp_path)
    yield server
    if server.process.poll() is None:
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.communicate()


def test_it_lives_before_it_is_ready_and_keeps_requests(server: SlowStart) -> None:
    for path in ("/health", "/api/health"):
        status, lives, _ = server.ask(path)
        assert (status, lives["status"]) == (200, "ok")
    assert server.ask("/api/health", "HEAD")[:2] == (200, None)
    for path in ("/ready", "/api/ready"):
        status, body, headers = server.ask(path)
        assert (status, body["type"]) == (503, "/problems/not-ready")
        assert body["request_id"] == headers["X-Request-Id"]
        assert headers["Retry-After"] == "1"
        assert headers["Content-Type"] == "application/problem+json"
    # They wait without a thread, and the doorman still answers.
    with ThreadPoolExecutor(CROWD) as crowd:
        waiting = [crowd.submit(server.ask, "/api/models") for _ in range(CROWD)]
        time.sleep(0.5)
        assert server.ask("/api/health")[0] == 200
        assert not any(answer.done() for answer in waiting)
        server.go_on()
        assert [answer.result()[:2] for answer in waiting] == [
            (200, {"models": [], "total": 0, "next_cursor": None})
        ] * CROWD
    assert server.ask("/api/ready")[0] == 200
    # Nobody can tell who says so.
    assert server.ask("/api/health")[1] == lives


def test_what_the_first_answer_waits_for_is_little() -> None:
    code = "import sys, model_heritage_backend.server; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"flask", "sqlalchemy", "alembic", "numpy", "numba", "scipy", "networkx", "structlog"}
    assert heavy.isdisjoint(run.stdout.split())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "data" / "app.db").write_bytes(b"no database" * 999), "database"),
        (lambda _: None, "as planned"),
    ],
)
def test_a_start_that_fails_ends_the_server(
    server: SlowStart, tmp_path: Path, spoil: Callable[[Path], object], told: str
) -> None:
    assert server.ask("/api/health")[0] == 200
    spoil(tmp_path)
    server.go_on("wrong" if told == "as planned" else "well")
    code, errors = server.end()
    assert code == 1
    assert told in errors


def test_a_start_that_is_stopped_comes_to_its_end(server: SlowStart, tmp_path: Path) -> None:
    """What it has begun it closes, so that the next one finds everything in order."""
    assert server.ask("/api/health")[0] == 200
    os.kill(server.process.pid, signal.SIGTERM)
    time.sleep(0.3)
    server.go_on()
    assert server.end()[0] == 0
    assert not list((tmp_path / "data").glob("app.db-wal"))
