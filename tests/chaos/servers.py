"""Real servers that can be killed and started again: in a fresh Python, or by a nursery.

A nursery has imported everything and forks: its servers are the same two processes of gunicorn,
only without the seconds that Python takes to load numpy and numba.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Protocol, Self

from model_heritage_backend.places import PROJECT
from tests.processes import RealServer

START_SECONDS = 60.0
PATIENCE_SECONDS = 600.0
"""What a client gives up may still be done later: then nobody could say what must be there."""


class Starter(Protocol):
    """Starts ``run_server.py`` with an environment, as the leader of a process group."""

    log: Path

    def start(self, environment: dict[str, str]) -> int: ...


class FreshPython:
    """As people start it."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def start(self, environment: dict[str, str]) -> int:
        # Python keeps what it has compiled, as it does where nobody forbids it.
        usual = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "run_server.py"],
                cwd=PROJECT,
                env={**usual, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return process.pid


class Nursery:
    """A process that forks servers; a context manager that ends it."""

    def __init__(self, log: Path) -> None:
        self.log = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.nursery"],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )

    def start(self, environment: dict[str, str]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(environment) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class Victim:
    """One server on one data folder, again and again on the same port."""

    def __init__(self, starter: Starter, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.port = RealServer.find_port()
        self._starter = starter
        self._settings = settings
        self._pid: int | None = None
        self._started = 0.0

    def start(self) -> None:
        environment = {
            "MODEL_HERITAGE_DATA_DIR": str(self.data_dir),
            "MODEL_HERITAGE_PORT": str(self.port),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            **self._settings,
        }
        self._started = time.monotonic()
        self._pid = self._starter.start(environment)

    def wait(self, path: str = "/api/health") -> float:
        """Until it answers there; seconds since its start."""
        assert self._pid is not None
        deadline = self._started + START_SECONDS
        # Not again what has ended: a server that cannot start says why, and ends.
        while time.monotonic() < deadline and _is_alive(self._pid):
            with contextlib.suppress(OSError):
                if self.ask("GET", path, seconds=START_SECONDS)[0] == 200:
                    return time.monotonic() - self._started
            time.sleep(0.02)
        log = self._starter.log.read_text(errors="replace")[-4000:]
        raise AssertionError(f"the server does not answer; the end of its log:\n{log}")

    def kill(self) -> None:
        """As a power cut does, for all its processes; returns when they are gone."""
        assert self._pid is not None
        processes = self.list_processes()
        # Forked a moment ago, it may not lead a group of processes yet.
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError):
                kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        deadline = time.monotonic() + START_SECONDS
        while any(map(_is_alive, processes)):
            assert time.monotonic() < deadline, "the server does not die"
            time.sleep(0.005)
        self._pid = None

    def is_running(self) -> bool:
        return self._pid is not None

    def wait_for_end(self) -> None:
        """Until a server that was told to stop has stopped."""
        assert self._pid is not None
        deadline = time.monotonic() + START_SECONDS
        while _is_alive(self._pid):
            assert time.monotonic() < deadline, "the server does not stop"
            time.sleep(0.02)
        self._pid = None

    @staticmethod
    def find_port() -> int:
        return RealServer.find_port()

    def list_processes(self) -> list[int]:
        """Ids of master and worker."""
        assert self._pid is not None
        try:
            children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
        except FileNotFoundError:
            return []
        return [self._pid, *map(int, children)]

    def connect(self, *, seconds: float = PATIENCE_SECONDS) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=seconds)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        seconds: float = PATIENCE_SECONDS,
    ) -> tuple[int, Any]:
        """(status, JSON or bytes)."""
        status, content, _ = self.fetch(method, path, body, headers, seconds=seconds)
        return status, content

    def fetch(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        seconds: float = PATIENCE_SECONDS,
    ) -> tuple[int, Any, dict[str, str]]:
        """(status, JSON or bytes, headers)."""
        connection = self.connect(seconds=seconds)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            content: Any = answer.read()
            if content and "json" in (answer.getheader("Content-Type") or ""):
                content = json.loads(content)
            return answer.status, content, dict(answer.getheaders())
        finally:
            connection.close()


def _is_alive(process: int) -> bool:
    """Not gone, nor dead and not yet buried by whoever has to. The first of its threads may be dead
    while others still hold the port."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                status = (thread / "stat").read_text()
                if status.rsplit(")", 1)[1].split()[0] not in "ZX":
                    return True
    return False
