"""Tokens made on the data folder, and the commands that send them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.zoo import Zoo
from model_heritage_backend.cli.main import app
from model_heritage_backend.cli.token_commands import TokenRole
from model_heritage_backend.client import Client
from model_heritage_backend.errors import InvalidRequest, NotAllowed, NotFound, NotSignedIn
from model_heritage_backend.models.tables import ROLES
from tests.processes import RealServer

pytestmark = pytest.mark.usefixtures("plain_environment")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def make(folder: Path, role: str) -> str:
    result = run("token", "create", f"a {role}", "--role", role, "--data-dir", folder)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_roles_are_those_of_the_server() -> None:
    assert tuple(role.value for role in TokenRole) == ROLES


@pytest.mark.parametrize("command", ["create", "list", "revoke"])
def test_every_command_explains_itself(command: str) -> None:
    result = run("token", command, "--help")
    assert f"Example: model-heritage token {command}" in result.output
    assert "--json" in result.output


def test_create_list_and_revoke(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    made = run("token", "create", "Ada", "--role", "admin", "--data-dir", folder)
    assert made.stdout.startswith("mh_")
    assert made.stdout.count("\n") == 1
    assert "not shown again" in made.stderr
    made = json.loads(
        run("token", "create", "CI", "--days", "0", "--json", "--data-dir", folder).stdout
    )
    assert (made["role"], made["expires_at"]) == ("viewer", None)
    listed = run("token", "list", "--data-dir", folder)
    assert made["id"] in listed.stdout
    assert made["token"] not in listed.stdout
    assert run("token", "revoke", made["id"], "--data-dir", folder).exit_code == 0
    tokens = json.loads(run("token", "list", "--json", "--data-dir", folder).stdout)
    assert {token["name"]: token["state"] for token in tokens} == {
        "Ada": "valid",
        "CI": "revoked",
    }
    unknown = run("token", "revoke", "t_unknown", "--data-dir", folder)
    assert isinstance(unknown.exception, NotFound)
    assert isinstance(run("token", "create", " ", "--data-dir", folder).exception, InvalidRequest)


def test_a_server_that_asks_for_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zoo_family: Zoo
) -> None:
    monkeypatch.setenv("MODEL_HERITAGE_ACCESS", "token")
    with RealServer(tmp_path) as server:
        address = f"http://127.0.0.1:{server.port}"
        # While it runs.
        viewer, editor = make(tmp_path, "viewer"), make(tmp_path, "editor")
        file = zoo_family.path("base")
        assert isinstance(run("jobs", "--server", address).exception, NotSignedIn)
        refused = run("upload", file, "--server", address, "--token", viewer)
        assert (refused.exit_code, "needs the role editor" in refused.stderr) == (1, True)
        monkeypatch.setenv("MODEL_HERITAGE_TOKEN", editor)
        assert run("upload", file, "--name", "base", "--server", address).exit_code == 0
        assert run("jobs", "--server", address).exit_code == 0
        assert isinstance(run("recluster", "--server", address).exception, NotAllowed)
        with Client(address, editor) as client:
            assert [model.name for model in client.list_models()] == ["base"]
        monkeypatch.setenv("MODEL_HERITAGE_TOKEN", viewer)
        for arguments in (
            ["lineage", "base", "--in", address],
            ["impact", "base", "--in", address],
            ["export", address, "--format", "dot"],
        ):
            result = run(*arguments)
            assert result.exit_code == 0, (arguments, result.output, result.exception)
        assert server.stop() == 0
