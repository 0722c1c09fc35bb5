"""Users made and changed on the data folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from model_heritage_backend.cli.main import app
from model_heritage_backend.errors import Conflict, InvalidRequest, NotFound
from model_heritage_backend.services import passwords

pytestmark = pytest.mark.usefixtures("plain_environment")
PASSWORD = "correct horse battery\n"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "LOG_N", 4)


def run(folder: Path, *arguments: str, password: str = PASSWORD) -> Any:
    options = [*arguments, "--data-dir", str(folder), "--json"]
    result = CliRunner().invoke(app, ["user", *options], input=password)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("command", ["create", "list", "change", "remove"])
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, ["user", command, "--help"])
    assert f"Example: model-heritage user {command}" in result.output


def test_the_life_of_users(tmp_path: Path) -> None:
    ada = run(tmp_path, "create", "ada", "--role", "admin", "--password-stdin")
    assert (ada["role"], ada["disabled"], ada["has_password"]) == ("admin", False, True)
    run(tmp_path, "create", "eve", "--password-stdin")
    assert run(tmp_path, "change", "Eve", "--role", "editor", "--close")["disabled"] is True
    assert run(tmp_path, "change", "eve", "--open", "--password-stdin")["disabled"] is False
    assert [user["name"] for user in run(tmp_path, "list")] == ["ada", "eve"]
    plain = CliRunner().invoke(app, ["user", "list", "--data-dir", str(tmp_path)])
    assert "editor" in plain.output
    with pytest.raises(Conflict, match="last admin"):
        run(tmp_path, "remove", "ada")
    run(tmp_path, "remove", "eve")
    with pytest.raises(NotFound):
        run(tmp_path, "remove", "eve")
    with pytest.raises(InvalidRequest, match="12 to 200"):
        run(tmp_path, "create", "eve", "--password-stdin", password="short\n")
