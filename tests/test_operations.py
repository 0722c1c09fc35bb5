"""What lies in deploy/ speaks of commands, settings and metrics that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from benchmarks.zoo import Zoo
from model_heritage_backend.cli.main import app as program
from model_heritage_backend.config import PROJECT
from model_heritage_backend.config_table import list_settings
from tests.served import MakeApp, get_service, upload

DEPLOY = PROJECT / "deploy"
UNIT = DEPLOY / "model-heritage.service"
DASHBOARD = DEPLOY / "grafana" / "model-heritage.json"
ALARMS = DEPLOY / "prometheus" / "alerts.yml"
OPERATIONS = PROJECT / "docs" / "operations.md"
OF_PROMETHEUS = {"up": {"job", "instance"}}
SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds by itself."""
NAME = re.compile(r"\b(?:model_heritage_\w+|process_\w+|up\b)")
SELECTOR = re.compile(r"\b(model_heritage_\w+|process_\w+|up)\{([^}]*)\}")
BY = re.compile(r"\bby \(([^)]*)\)")


def list_expressions() -> Iterator[tuple[str, str]]:
    """(where, query) of everything that is asked of Prometheus."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield f"panel {panel['title']!r}", target["expr"]
    for rule in list_alarms():
        yield f"alarm {rule['alert']}", rule["expr"]


def list_alarms() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALARMS.read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


@pytest.fixture
def exported(make_app: MakeApp, zoo_family: Zoo, tmp_path: Path) -> dict[str, set[str]]:
    """Every sample's name -> its labels, also of those that have not moved yet."""
    app = make_app(backup_folder=tmp_path / "backups")
    assert upload(app.test_client(), zoo_family.path("base")).status_code == 201
    registry = get_service(app).metrics.registry
    found: dict[str, set[str]] = dict(OF_PROMETHEUS)
    for name, collector in registry._names_to_collectors.items():
        found[name] = set(getattr(collector, "_labelnames", ())) | SCRAPED
        if name.endswith("_bucket"):
            found[name].add("le")
    for family in registry.collect():
        for sample in family.samples:
            found.setdefault(sample.name, set(SCRAPED)).update(sample.labels)
    return found


def test_every_query_asks_for_what_there_is(exported: dict[str, set[str]]) -> None:
    wrong = []
    for where, query in list_expressions():
        names = set(NAME.findall(query))
        assert names, where
        wrong += [f"{where}: {name}" for name in names - exported.keys()]
        labels: set[str] = SCRAPED.union(*(exported.get(name, set()) for name in names))
        for name, selector in SELECTOR.findall(query):
            asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
            wrong += [f"{where}: {name}{{{label}}}" for label in asked - exported.get(name, set())]
        for group in BY.findall(query):
            wrong += [
                f"{where}: by {label}"
                for label in {part.strip() for part in group.split(",")} - labels
            ]
        assert query.count("(") == query.count(")"), where
    assert wrong == []


def test_every_metric_of_ours_is_on_the_dashboard(exported: dict[str, set[str]]) -> None:
    """But for those that say how another one was counted."""
    asked = " ".join(query for _, query in list_expressions())
    ours = {
        re.sub(r"_(bucket|sum|count|created|total)$", "", name)
        for name in exported
        if name.startswith("model_heritage_")
    }
    spare = {"model_heritage_parameters", "model_heritage", "model_heritage_info"}
    assert sorted(name for name in ours - spare if name not in asked) == []


def test_every_alarm_is_explained() -> None:
    page = OPERATIONS.read_text()
    for rule in list_alarms():
        assert f"| `{rule['alert']}` |" in page
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("info", "warning", "critical")


def read_unit() -> list[tuple[str, str]]:
    lines = [line.strip() for line in UNIT.read_text().splitlines()]
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    return [(name, value) for name, value in pairs]


def test_the_unit_runs_commands_that_exist_with_settings_that_exist() -> None:
    pairs = read_unit()
    commands = [value for name, value in pairs if name.startswith("ExecStart")]
    assert len(commands) == 2
    for command in commands:
        path, *arguments = command.split()
        assert Path(path).name == "model-heritage"
        result = CliRunner().invoke(program, [*arguments, "--help"])
        assert result.exit_code == 0, command
    known = {row["environment"] for row in list_settings()}
    known |= {"MODEL_HERITAGE_CONFIG", "NUMBA_CACHE_DIR"}
    used = {value.split("=")[0] for name, value in pairs if name == "Environment"}
    assert used <= known


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    text = re.sub(r"/opt/\S*/model-heritage\b", sys.executable, UNIT.read_text())
    unit = tmp_path / UNIT.name
    unit.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", unit],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert (done.returncode, done.stderr) == (0, "")
