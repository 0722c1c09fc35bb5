from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from model_heritage_backend.config import PROJECT
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
        timeout=30,
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
    assert "port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_folder_taken_and_normal_stop(tmp_path: Path) -> None:
    with RealServer(tmp_path) as server:
        assert f"http://localhost:{server.port}" in server.read_line()
        second = run_server(tmp_path, server.find_port())
        assert second.returncode == 1
        assert "Another Model Heritage server" in second.stderr
        assert "Traceback" not in second.stderr
        assert server.stop() == 0


@pytest.mark.parametrize("unusable", ["file/below"])
def test_unusable_folder(tmp_path: Path, unusable: str) -> None:
    (tmp_path / "file").touch()
    ended = run_server(tmp_path / unusable, 5999)
    assert ended.returncode == 1
    assert "cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr
