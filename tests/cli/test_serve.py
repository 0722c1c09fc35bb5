"""The command serve becomes the server's script, with the options as settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from model_heritage_backend.cli.serve import run_server
from model_heritage_backend.config import load_settings
from model_heritage_backend.errors import InvalidRequest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import os, sys
from model_heritage_backend.config import load_settings
settings = load_settings()
print(os.getpid(), settings.host, settings.port, settings.data_dir)
sys.exit(7)
"""
START = """
import sys
from pathlib import Path
from model_heritage_backend.cli.serve import run_server
run_server({"host": "0.0.0.0", "port": None, "data_dir": "/data"}, project=Path(sys.argv[1]))
"""


def test_the_process_becomes_the_server(tmp_path: Path) -> None:
    (tmp_path / "run_server.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MODEL_HERITAGE_HOST": "127.0.0.9"}
    with subprocess.Popen(
        [sys.executable, "-c", START, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        output, _ = process.communicate(timeout=60)
    assert output.split() == [str(process.pid), "0.0.0.0", str(load_settings().port), "/data"]
    assert process.returncode == 7


def test_a_missing_script_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"run_server\.py is not in the folder"):
        run_server({}, project=tmp_path)
