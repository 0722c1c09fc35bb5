from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend.config import PROJECT, load_settings
from model_heritage_backend.server import OpenDoor, check_door
from tests.processes import RealServer


def run_server(data_dir: Path, port: int, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "run_server.py"],
        cwd=PROJECT,
        env={
            **os.environ,
            "MODEL_HERITAGE_DATA_DIR": str(data_dir),
            "MODEL_HERITAGE_PORT": str(port),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_port_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_server(tmp_path, port)
    assert ended.returncode == 1
    assert f"Port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_bad_setting(tmp_path: Path) -> None:
    ended = run_server(tmp_path, 70_000)
    assert ended.returncode == 1
    assert "MODEL_HERITAGE_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_folder_taken_and_normal_stop(tmp_path: Path) -> None:
    with RealServer(tmp_path) as server:
        assert f"http://localhost:{server.port}" in server.read_line()
        second = run_server(tmp_path, server.find_port())
        assert second.returncode == 1
        assert "Another Model Heritage server" in second.stderr
        assert "Traceback" not in second.stderr
        assert server.stop() == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "0"])
def test_open_access_stays_on_this_machine(tmp_path: Path, host: str) -> None:
    ended = run_server(tmp_path, RealServer.find_port(), MODEL_HERITAGE_HOST=host)
    assert ended.returncode == 1
    assert "MODEL_HERITAGE_ACCESS=token" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"host": "127.0.0.1"}, False),
        ({"host": "localhost"}, False),
        ({"host": "192.0.2.1"}, True),
        ({"host": "0.0.0.0", "access": "token"}, False),
        ({"host": "0.0.0.0", "open_beyond_loopback": True}, False),
    ],
)
def test_doors(plain_environment: None, options: dict[str, Any], refused: bool) -> None:
    with pytest.raises(OpenDoor) if refused else contextlib.nullcontext():
        check_door(load_settings(**options))


@pytest.mark.parametrize("unusable", ["file/below"])
def test_unusable_folder(tmp_path: Path, unusable: str) -> None:
    (tmp_path / "file").touch()
    ended = run_server(tmp_path / unusable, 5999)
    assert ended.returncode == 1
    assert "cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_memory_beyond_the_limit_fails_and_the_process_goes_on() -> None:
    code = (
        "from model_heritage_backend.server import limit_memory\n"
        "limit_memory(2 * 1024**3)\n"
        "try:\n    bytearray(3 * 1024**3)\n"
        "except MemoryError:\n    print(len(bytearray(1024**2)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240
    )
    assert done.stdout == "1048576\n"
