"""The program as a user starts it: help, version, exit codes, speed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from benchmarks.zoo import Zoo
from model_heritage_backend import __version__
from model_heritage_backend.cli import local_commands, server_commands
from model_heritage_backend.cli.main import app

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "torch", "flask", "numba", "scipy", "sklearn", "sqlalchemy", "networkx")


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "model_heritage_backend", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


COMMANDS = [function.__name__ for function in (*local_commands.COMMANDS, *server_commands.COMMANDS)]


def test_version() -> None:
    assert run("--version").stdout == f"model-heritage {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert f"  Example: model-heritage {command}" in result.output
    assert "Usage" in result.output
    assert command in CliRunner().invoke(app, ["--help"]).output


def test_every_command_speaks_json() -> None:
    spoken = {c for c in COMMANDS if "\n  --json" in CliRunner().invoke(app, [c, "--help"]).output}
    # Two run until they are stopped, the third has a format of that name.
    assert set(COMMANDS) - spoken == {"serve", "worker", "export"}


def test_completion_can_be_shown() -> None:
    assert "_model_heritage_completion model-heritage" in run("--show-completion", "bash").stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from model_heritage_backend.cli.main import app; "
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


def measure_best(*arguments: str) -> float:
    """Processor seconds of a Python, the least of four, as the machine may be busy."""
    seconds = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)


@pytest.fixture(scope="module")
def library_seconds() -> float:
    """What the library that writes the help takes by itself."""
    return measure_best("-c", "import typer.rich_utils")


@pytest.mark.parametrize("command", ["scan", "identify", "upload", "backup"])
def test_help_is_quick(command: str, library_seconds: float) -> None:
    seconds = measure_best("-m", "model_heritage_backend", command, "--help")
    assert seconds < 2.5 * library_seconds


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan"],
        ["scan", "missing-folder"],
        ["scan", "file"],
        ["scan", ".", "--method", "magic"],
        ["scan", ".", "--json", "missing-folder/out.json"],
        ["scan", ".", "--json", "."],
        ["serve", "--port", "70000"],
        ["dance"],
    ],
)
def test_wrong_usage_is_2_and_a_sentence(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "file").write_text("")
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr
    assert "Traceback" not in result.stderr


def test_convert_writes_safetensors(tmp_path: Path, zoo_family: Zoo) -> None:
    source = zoo_family.path("base")
    result = run("convert", str(source), "out.safetensors", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "tensors" in result.stdout
    written, original = load_file(tmp_path / "out.safetensors"), load_file(source)
    assert written.keys() == original.keys()
    assert all((written[name] == original[name]).all() for name in original)
    again = run("convert", str(source), "out.safetensors", cwd=tmp_path)
    assert again.returncode == 2
    assert "is there already" in again.stderr
