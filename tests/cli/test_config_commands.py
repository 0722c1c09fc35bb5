from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model_heritage_backend.cli.main import app
from model_heritage_backend.errors import InvalidRequest


@pytest.fixture
def file(plain_environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"storage: {{root_path: {tmp_path}}}\nneo4j_password: horse\n")
    monkeypatch.setenv("MODEL_HERITAGE_CONFIG", str(path))
    return path


def test_show(file: Path) -> None:
    result = CliRunner().invoke(app, ["config", "show", "--changed"])
    assert result.output.splitlines() == [
        f"# {file}",
        f"data_dir        {file.parent}  # file storage.root_path",
        "neo4j_password  ********  # file",
    ]
    told = json.loads(CliRunner().invoke(app, ["config", "show", "--json"]).output)
    assert told["file"] == str(file)
    assert told["settings"]["port"] == {"value": 5001, "from": "default", "as": None}


def test_show_of_settings_that_are_not_valid(file: Path) -> None:
    file.write_text("port: 0")
    result = CliRunner().invoke(app, ["config", "show"])
    assert isinstance(result.exception, InvalidRequest)


def test_check(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = CliRunner().invoke(app, ["config", "check"])
    assert (good.exit_code, good.output) == (0, "The settings are valid.\n")
    monkeypatch.setenv("MODEL_HERITAGE_IMPORT_ROOTS", "/nowhere")
    monkeypatch.setenv("MODEL_HERITAGE_DATA_DIR", f"{file}/below")
    bad = CliRunner().invoke(app, ["config", "check"])
    assert bad.exit_code == 1
    assert "is not a folder" in bad.output
    assert "no folder /nowhere" in bad.output
    monkeypatch.setenv("MODEL_HERITAGE_HOST", "0.0.0.0")
    door = json.loads(CliRunner().invoke(app, ["config", "check", "--json"]).output)
    assert "With open access" in door["problems"][0]
