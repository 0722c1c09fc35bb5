"""The files of deploy/, of which nothing can be started here: all that they name exists."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from model_heritage_backend.cli.main import app
from model_heritage_backend.config import PROJECT, load_settings
from model_heritage_backend.config_table import list_settings

DEPLOY = PROJECT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
VARIABLES = {row["environment"] for row in list_settings()}
PINNED = re.compile(r"[\w./-]+:(\d+\.\d+\.?\d*[\w.-]*|RELEASE\.\d{4}[\w-]+)")


def test_services() -> None:
    assert set(SERVICES) == {
        "api",
        "worker",
        "maintenance",
        "postgres",
        "redis",
        "neo4j",
        "storage",
    }
    assert [name for name, service in SERVICES.items() if service.get("profiles")] == [
        "neo4j",
        "storage",
    ]
    for name, service in SERVICES.items():
        # That of the servers is in their image.
        assert name == "api" or service["healthcheck"]["test"][0] == "CMD"
        assert service["restart"] == "unless-stopped"
        if name not in OURS:
            assert PINNED.fullmatch(service["image"]), service["image"]
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in COMPOSE["volumes"]
        for other in service.get("depends_on", ()):
            assert other in SERVICES


@pytest.mark.parametrize("name", OURS)
def test_settings(name: str, monkeypatch: pytest.MonkeyPatch, plain_environment: None) -> None:
    variables = OURS[name]["environment"]
    assert set(variables) <= VARIABLES
    for variable, value in variables.items():
        monkeypatch.setenv(variable, re.sub(r"\$\{.*\}", "secret", value))
    settings = load_settings()
    assert settings.is_shared
    assert settings.access == "token"
    assert settings.redis_url == "redis://redis:6379/0"


def list_commands() -> list[list[str]]:
    found = [service["command"] for service in OURS.values() if "command" in service]
    found += [
        service["healthcheck"]["test"][1:] for service in OURS.values() if "healthcheck" in service
    ]
    found += [json.loads(command) for command in re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.M)]
    return [command[1:] for command in found if command[0] == "model-heritage"]


def test_commands() -> None:
    commands = list_commands()
    assert len(commands) == 5
    for command in commands:
        answer = CliRunner().invoke(app, [*command, "--help"])
        assert answer.exit_code == 0, answer.output
        for option in command:
            assert not option.startswith("--") or option in answer.output


def test_queues_are_all_served() -> None:
    served = {word for service in OURS.values() for word in service.get("command", ())}
    assert served >= {"default", "lineage", "maintenance"}


def test_image() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert len(stages) == 3
    assert all(PINNED.fullmatch(stage) for stage in stages)
    # Nothing is done as root after the last step that needs it.
    assert DOCKERFILE.rindex("\nUSER heritage") > DOCKERFILE.rindex("\nRUN")
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M):
        for source in line.split()[:-1]:
            assert (PROJECT / source).exists(), source
    for name in re.findall(r"(MODEL_HERITAGE_\w+|DATABASE_URL|REDIS_URL)=", DOCKERFILE):
        assert name in VARIABLES
    assert "HEALTHCHECK" in DOCKERFILE
