"""The commands on a running server, and on its data folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.zoo import Zoo
from model_heritage_backend.cli.main import app
from model_heritage_backend.client import Client
from model_heritage_backend.errors import InvalidRequest, NotFound, ServerUnreachable


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_upload(running: str, zoo_family: Zoo, tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_bytes(b"nothing")
    files = [zoo_family.path(name) for name in ("noisy-odd-lora", "base")]
    result = run("upload", *files, tmp_path / "bad.pt", "--server", running, "--tag", "new")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{files[0].name}: m_")
    assert "adapter of noisy-odd" in lines[0]
    assert lines[1] == f"{files[1].name}: The same file is stored as 'base'."
    assert "bad.pt: This is a" in result.stderr
    again = json.loads(run("upload", files[0], "--server", running, "--json").stdout)
    assert again[0]["already_there"]
    with Client(running) as client:
        assert [model.name for model in client.list_models(tags=["new"])] == [files[0].stem]
        client.delete_model(again[0]["model"]["id"])


def test_jobs_and_recluster(running: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_HERITAGE_SERVER", running)
    result = run("recluster")
    assert (result.exit_code, result.stdout.endswith(": done.\n")) == (0, True)
    jobs = json.loads(run("jobs", "--state", "done", "--json").stdout)
    assert (jobs[0]["kind"], jobs[0]["state"], jobs[0]["progress"]) == ("recluster", "done", 1.0)
    assert "recluster" in run("jobs").stdout
    assert run("jobs", "--state", "failed").stdout == "No jobs.\n"


def test_nobody_answers() -> None:
    for command in ("jobs", "recluster"):
        failed = run(command, "--server", "http://127.0.0.1:1")
        assert isinstance(failed.exception, ServerUnreachable)


def test_backup_restore_and_check_while_a_server_runs(
    running: str, running_data: Path, tmp_path: Path
) -> None:
    backup, again = tmp_path / "backup", tmp_path / "again"
    made = run("backup", backup, "--data-dir", running_data)
    assert (made.exit_code, made.stdout.startswith("3 files and the database, ")) == (0, True)
    report = json.loads(run("restore", backup, "--data-dir", again, "--json").stdout)
    assert (report["files"], report["problems"]) == (3, [])
    assert run("check", "--data-dir", again, "--quick").exit_code == 0
    next((again / "blobs").iterdir()).unlink()
    broken = run("check", "--data-dir", again)
    assert (broken.exit_code, "1 problem." in broken.stdout) == (1, True)
    assert "is missing" in broken.stderr


def test_delete_tells_what_follows(running: str, zoo_family: Zoo) -> None:
    where = ("--server", running)
    lora = zoo_family.path("noisy-odd-lora")
    made = json.loads(run("upload", lora, "--json", *where).stdout)[0]["model"]["id"]
    refused = run("delete", made, *where)
    assert isinstance(refused.exception, InvalidRequest)
    with Client(running) as client:
        assert client.get_model(made).id == made
        assert client.weigh_deletion(model=made)["models"] == 1
        assert run("delete", made, "--family", "f", *where).exit_code == 2
        done = run("delete", made, "--yes", *where)
        assert (done.exit_code, done.stdout) == (0, "1 model deleted.\n")
        assert f"{made}: 1 model of {lora.stat().st_size:,} bytes" in done.stderr
        assert client.find_model(lora.stem) is None
    assert isinstance(run("delete", made, "--yes", *where).exception, NotFound)
