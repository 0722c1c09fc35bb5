"""The command compare on real trained models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.zoo import Zoo
from model_heritage_backend.cli.main import app
from model_heritage_backend.errors import InvalidWeights


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


def compare(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["compare", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def test_child_and_parent(zoo_family: Zoo) -> None:
    parent, child = zoo_family.path("noisy-odd"), zoo_family.path("noisy-odd-lora")
    shown = compare(parent, child)
    assert "low rank (median 4)" in shown
    assert f"{parent.name} -> {child.name} (adapter" in shown
    assert "low_rank" in shown
    assert f"{parent.name} -> {child.name} (adapter" in compare(child, parent)


def test_json_is_that_of_the_api(zoo_family: Zoo) -> None:
    paths = zoo_family.path("base"), zoo_family.path("noisy")
    found = json.loads(compare(*paths, "--json"))
    assert found["kinship"]["kind"] in ("parent", "child")
    assert len(found["tensors"]) == sum(kind["tensors"] for kind in found["kinds"])


def test_strangers_and_copies(zoo_family: Zoo, strangers: list[Path]) -> None:
    assert "unrelated" in compare(zoo_family.path("base"), strangers[0])
    assert "exactly the same weights" in compare(zoo_family.path("base"), zoo_family.path("base"))


def test_an_unreadable_file_is_told_of_once(zoo_family: Zoo, tmp_path: Path) -> None:
    bad, worse = tmp_path / "bad.safetensors", tmp_path / "worse.safetensors"
    for path in (bad, worse):
        path.write_bytes(b"nothing")
    for others in ([zoo_family.path("base")], [worse]):
        result = CliRunner().invoke(app, ["compare", str(bad), *map(str, others)])
        assert isinstance(result.exception, InvalidWeights)
        told = result.output + result.exception.detail
        for path in {bad, *others} - {zoo_family.path("base")}:
            assert told.count(path.name) == 1
