"""A server of its own for every journey, and the tools that drive a browser."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FRONT_END = PROJECT / "model_heritage_frontend"
START_SECONDS = 240
JOURNEY_SECONDS = 2400

Journey = Callable[[str, Mapping[str, object]], str]


def _find_chromium() -> str:
    named = os.environ.get("CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium found (install one or name it in CHROMIUM)")
    return found


def _find_node() -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js found")
    if not (FRONT_END / "dist" / "index.html").is_file():
        pytest.skip("the user interface is not built")
    return node


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/api/ready", timeout=60) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server of its own, with an empty lake."""
    port = _free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "MODEL_HERITAGE_DATA_DIR": str(tmp_path / "data"),
        "MODEL_HERITAGE_HOST": "127.0.0.1",
        "MODEL_HERITAGE_PORT": str(port),
    }
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "run_server.py"],
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _is_ready(base):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"the server did not start:\n{log.read_text()}")
                time.sleep(0.2)
            yield base
        finally:
            process.terminate()
            process.wait(timeout=120)


@pytest.fixture
def travel(server: str) -> Journey:
    """Runs a script of this folder with what it needs to know; gives what it printed."""
    chromium, node = _find_chromium(), _find_node()

    def run(script: str, facts: Mapping[str, object]) -> str:
        done = subprocess.run(
            [
                node,
                str(Path(__file__).with_name(script)),
                json.dumps({"base": server, "chromium": chromium, **facts}),
            ],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=JOURNEY_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


def upload(base: str, path: Path, name: str) -> None:
    """Add a file to the lake without the page."""
    query = urllib.parse.urlencode({"name": name, "filename": path.name})
    request = urllib.request.Request(
        f"{base}/api/models?{query}", data=path.read_bytes(), method="PUT"
    )
    with urllib.request.urlopen(request, timeout=480) as answer:
        assert answer.status == 201
