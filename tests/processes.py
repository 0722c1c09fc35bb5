"""A server as people run it: its own process, which tests may kill."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

from model_heritage_backend.places import PROJECT
from tests.databases import list_variables

START_SECONDS = 240
SERVER_PORTS = (20_000, 32_000)
"""Below those that the system gives to clients: a client that asks a dead server on one of these
could be connected to itself."""
_held: list[socket.socket] = []


def hold_port() -> int:
    """A port that is ours until this process ends: only a server that says, as gunicorn does, that
    it shares addresses (SO_REUSEADDR) gets it, and may come back to it after it died. A port that
    was only looked for and found free would be anybody's while no server is there.
    """
    while True:
        port = random.randrange(*SERVER_PORTS)
        holder = socket.socket()
        try:
            # Not shared yet: two processes that look for a port never take the same one.
            holder.bind(("127.0.0.1", port))
        except OSError:
            holder.close()
            continue
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _held.append(holder)
        return port


@atexit.register
def _release_ports() -> None:
    for holder in _held:
        holder.close()


class RealServer:
    """``python run_server.py`` on a folder and a free port; a context manager that ends it.

    ``variables`` are of its environment.
    """

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self.data_dir = data_dir
        self.port = self.find_port()
        self._process = subprocess.Popen(
            [sys.executable, "run_server.py"],
            cwd=PROJECT,
            env={
                **os.environ,
                **list_variables(data_dir),
                "MODEL_HERITAGE_DATA_DIR": str(data_dir),
                "MODEL_HERITAGE_PORT": str(self.port),
                **variables,
            },
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._wait()

    @staticmethod
    def find_port() -> int:
        return hold_port()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "the server has ended"
            try:
                # Not its health, which it tells before it has its application. A server that asks
                # for tokens answers 401: that, too, only the application can say.
                if self.ask("GET", "/api/session")[0] < 500:
                    return
            except ConnectionError:
                time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def find_worker(self) -> int:
        """The process that answers; the first one only looks after it."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return int(children.read_text().split()[0])

    def read_line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=240)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """(status, JSON body)."""
        connection = self.connect()
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        finally:
            connection.close()

    def put(self, path: Path, name: str, **headers: str) -> tuple[int, Any]:
        return self.ask("PUT", f"/api/models?name={name}", path.read_bytes(), **headers)

    def list_models(self) -> dict[str, dict[str, Any]]:
        return {m["name"]: m for m in self.ask("GET", "/api/models?limit=200")[1]["models"]}

    def stop(self, *, presses: int = 1) -> int:
        """As Ctrl-C does, pressed so many times; the exit code."""
        for press in range(presses):
            if press > 0:
                time.sleep(0.15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(30)

    def kill(self) -> None:
        """As a power cut does, for every process of this server."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()


class RealWorker:
    """``model-heritage worker``; a context manager that kills it."""

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "model_heritage_backend", "worker"],
            cwd=PROJECT,
            env={
                **os.environ,
                **list_variables(data_dir),
                "MODEL_HERITAGE_DATA_DIR": str(data_dir),
                **variables,
            },
            start_new_session=True,
        )

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()
