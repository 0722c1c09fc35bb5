"""The command identify: the parent of one file among those of a folder, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.zoo import Zoo
from model_heritage_backend.cli.main import app
from tests.cli.test_scan import copy_old


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def known(tmp_path: Path, zoo_family: Zoo, strangers: list[Path]) -> Path:
    folder = tmp_path / "known"
    for name in ("base", "noisy", "noisy-odd", "rotated"):
        copy_old(zoo_family.path(name), folder / "family" / f"{name}.safetensors")
    copy_old(strangers[0], folder / "stranger.safetensors")
    return folder


def identify(file: Path, known: Path, *options: str) -> Result:
    arguments = ["identify", str(file), "--against", str(known), *options]
    return CliRunner().invoke(app, arguments)


def test_the_parent_is_named_with_its_doubt(known: Path, zoo_family: Zoo) -> None:
    child = zoo_family.path("noisy-odd-lora")
    result = identify(child, known)
    assert result.exit_code == 0, result.output
    first = result.output.splitlines()[0]
    assert first.startswith(f"{child.name} comes from family/noisy-odd.safetensors (")
    assert "sure, adapter)" in first
    assert "a rank of 4" in result.output


def test_json_says_the_same(known: Path, zoo_family: Zoo) -> None:
    result = identify(zoo_family.path("noisy-odd-lora"), known, "--json", "-")
    answer = json.loads(result.stdout)
    (parent,) = answer["parents"]
    assert (answer["answer"], parent["name"]) == ("found", "family/noisy-odd.safetensors")
    assert parent["relation"] == "adapter"
    assert 0.5 < parent["confidence"] <= 1.0
    assert not any(name.startswith("stranger") for name in answer["family"])


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        ("noisy-odd", 0),
        ("family/noisy-odd.safetensors", 0),
        ("base", 5),
        ("nothing of the kind", 2),
    ],
)
def test_expectations(expect: str, code: int, known: Path, zoo_family: Zoo) -> None:
    result = identify(zoo_family.path("noisy-odd-lora"), known, "--expect", expect)
    # Errors are raised to the entry point, which prints them and exits with 2.
    assert (2 if result.exit_code == 1 else result.exit_code) == code


def test_a_file_of_the_folder_is_not_its_own_parent(known: Path) -> None:
    result = identify(known / "family" / "base.safetensors", known)
    assert result.exit_code == 0
    assert "is the root of a family of 3 others" in result.output


def test_strangers(known: Path, strangers: list[Path]) -> None:
    result = identify(strangers[1], known)
    assert (result.exit_code, "not related" in result.output) == (4, True)
