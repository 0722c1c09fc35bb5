"""The command identify: the parent of one file among those of a folder, and its exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.zoo import Zoo
from model_heritage_backend.cli.main import app
from model_heritage_backend.errors import InvalidRequest, InvalidWeights, NotFound
from tests.cli.test_scan import copy_old
from tests.scanning.remote.servers import serve_files


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
    return identify_url(str(file), known, *options)


def identify_url(file: str, known: Path | str, *options: str) -> Result:
    return CliRunner().invoke(app, ["identify", file, "--against", str(known), *options])


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


def test_against_a_saved_document(known: Path, zoo_family: Zoo, tmp_path: Path) -> None:
    document = tmp_path / "heritage.json"
    CliRunner().invoke(app, ["scan", str(known), "--json", str(document)])
    child = zoo_family.path("noisy-odd-lora")
    assert "comes from family/noisy-odd.safetensors" in identify(child, document).output
    # On another machine neither cache nor files are there.
    alone = identify(child, document, "--no-cache")
    assert isinstance(alone.exception, NotFound)
    assert "5 of the 5 checkpoints" in alone.exception.detail
    document.rename(known / "heritage.json")
    beside = identify(child, known / "heritage.json", "--no-cache")
    assert "comes from family/noisy-odd.safetensors" in beside.output


def test_a_remote_file(
    known: Path, zoo_family: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "served").mkdir()
    shutil.copy(zoo_family.path("noisy-odd-lora"), tmp_path / "served" / "new.safetensors")
    with serve_files(tmp_path / "served") as server:
        url = f"{server.url}/new.safetensors"
        answer = json.loads(identify_url(url, known, "--json", "-").stdout)
        (parent,) = answer["parents"]
        assert (answer["file"], answer["answer"]) == ("new.safetensors", "found")
        assert parent["name"] == "family/noisy-odd.safetensors"
        assert parent["confidence"] <= answer["sample"]["trust"] < 1.0
        assert answer["sample"]["bytes_read"] <= answer["sample"]["file_bytes"] + 65536
        result = identify_url(url, known, "--expect", "base")
        assert (result.exit_code, "From a sample" in result.output) == (5, True)

        server.manner = "whole"
        refused = identify_url(url, known)
        assert isinstance(refused.exception, InvalidRequest)
        assert "--yes" in refused.exception.detail
        for option in ("--yes", "--full"):
            whole = identify_url(url, known, option)
            assert "From a sample" not in whole.output
            assert "new.safetensors comes from family/noisy-odd.safetensors" in whole.output


def test_against_a_server(running: str, zoo_family: Zoo, strangers: list[Path]) -> None:
    child = str(zoo_family.path("noisy-odd-lora"))
    result = identify_url(child, running, "--expect", "noisy-odd")
    assert result.exit_code == 0, result.output
    assert f"{Path(child).name} comes from noisy-odd (" in result.output
    assert identify_url(child, running, "--expect", "base").exit_code == 5
    assert identify_url(str(strangers[1]), running).exit_code == 4
    copy = json.loads(identify_url(str(zoo_family.path("noisy")), running, "--json", "-").stdout)
    assert copy["existing_id"].startswith("m_")


def test_a_file_of_the_folder_is_not_its_own_parent(known: Path) -> None:
    result = identify(known / "family" / "base.safetensors", known)
    assert result.exit_code == 0
    assert "is the root of a family of 3 others" in result.output


def test_strangers(known: Path, strangers: list[Path]) -> None:
    result = identify(strangers[1], known)
    assert (result.exit_code, "not related" in result.output) == (4, True)


def test_an_unreadable_file_is_told_of_once(known: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"nothing")
    result = identify(bad, known)
    assert isinstance(result.exception, InvalidWeights)
    assert (result.output + result.exception.detail).count(bad.name) == 1
