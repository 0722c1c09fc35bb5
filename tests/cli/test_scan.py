"""The command scan on real trained models and on files that cannot be read."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from jsonschema import Draft202012Validator
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from benchmarks.zoo import Zoo
from model_heritage_backend.cli.main import app
from model_heritage_backend.cli.options import Method
from model_heritage_backend.clustering.tree_builder import TreeBuildingMethod
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.interop.export import DOCUMENT_WRITERS
from model_heritage_backend.interop.heritage_document import load_schema
from model_heritage_backend.scanning import reading


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    return tmp_path / "xdg" / "model-heritage"


@pytest.fixture
def lake(tmp_path: Path, zoo_family: Zoo, strangers: list[Path]) -> Path:
    """Part of the family in two folders, one stranger, one copy, and files of other kinds."""
    folder = tmp_path / "lake"
    for place, name in [
        ("models/base", "base"),
        ("models/noisy", "noisy"),
        ("models/turned", "rotated"),
        ("exports/lora", "inverted-lora"),
        ("exports/half", "base-bf16"),
    ]:
        copy_old(zoo_family.path(name), folder / f"{place}.safetensors")
    copy_old(zoo_family.path("base"), folder / "models/zz-again.safetensors")
    copy_old(strangers[-1], folder / "other.safetensors")
    weights = load_file(zoo_family.path("noisy-odd"))
    (folder / "torch").mkdir()
    torch.save({"state_dict": weights, "epoch": 3}, folder / "torch/odd.pt")
    (folder / "README.md").write_text("not a model")
    (folder / "models/config.json").write_text("{}")
    return folder


def copy_old(source: Path, target: Path) -> None:
    """Copy a file and keep its age, as young files are not remembered."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    os.utime(target, (1, 1))


def scan(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["scan", *map(str, arguments)], catch_exceptions=False)


def scan_document(folder: Path, *options: str, code: int = 0) -> dict[str, Any]:
    target = folder.parent / "document.json"
    result = scan(folder, "--json", target, *options)
    assert result.exit_code == code, result.output
    document: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    Draft202012Validator(load_schema()).validate(document)
    return document


def name_edges(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Child -> (main parent, relation), by path."""
    paths = {model["id"]: model["path"] for model in document["models"]}
    return {
        paths[edge["child"]]: (paths[edge["parent"]], edge["relation"])
        for edge in document["edges"]
        if edge["main"]
    }


def test_finds_the_genealogy(lake: Path) -> None:
    result = scan(lake, "--json", lake.parent / "out.json")
    document = json.loads((lake.parent / "out.json").read_text(encoding="utf-8"))
    Draft202012Validator(load_schema()).validate(document)

    assert result.exit_code == 0
    assert [model["path"] for model in document["models"]] == [
        "exports/half.safetensors",
        "exports/lora.safetensors",
        "models/base.safetensors",
        "models/noisy.safetensors",
        "models/turned.safetensors",
        "models/zz-again.safetensors",
        "other.safetensors",
        "torch/odd.pt",
    ]
    assert [(family["id"], family["size"]) for family in document["families"]] == [
        ("F1", 7),
        ("F2", 1),
    ]
    edges = name_edges(document)
    assert edges["models/zz-again.safetensors"] == ("models/base.safetensors", "duplicate")
    assert edges["models/noisy.safetensors"][0] == "models/base.safetensors"
    assert edges["exports/lora.safetensors"] == ("models/base.safetensors", "adapter")
    assert edges["exports/half.safetensors"] == ("models/base.safetensors", "cast")
    assert edges["torch/odd.pt"][0] == "models/noisy.safetensors"
    assert "other.safetensors" not in edges

    lines = result.stdout.splitlines()
    assert lines[0].startswith("Family F1  7 models")
    assert any("exports/lora.safetensors  adapter of rank" in line for line in lines)
    assert "└── other.safetensors" in lines
    assert lines[-1].startswith("8 models, 1 family, 6 parents found")
    assert result.stderr == ""


def test_a_second_scan_reads_no_weights_and_says_the_same(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in lake.rglob("*.pt"):
        os.utime(path, (1, 1))
    first = scan_document(lake)

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a remembered file was read again")

    monkeypatch.setattr(reading, "hash_file", refuse)
    monkeypatch.setattr(reading, "fingerprint_weights", refuse)
    monkeypatch.setattr("model_heritage_backend.clustering.exact_source.measure_edge", refuse)
    assert scan_document(lake) == first


def test_samples_tell_the_families_and_say_what_they_are(lake: Path) -> None:
    whole, sampled = scan_document(lake), scan_document(lake, "--sampled")
    assert [f["size"] for f in sampled["families"]] == [f["size"] for f in whole["families"]]
    assert name_edges(sampled)["exports/lora.safetensors"][0] == "models/base.safetensors"
    assert all("sampled" in model["quality"] for model in sampled["models"])
    checksums = {model["checksum"] for document in (whole, sampled) for model in document["models"]}
    # Two files are copies of one.
    assert len(checksums) == 2 * (len(whole["models"]) - 1)
    result = scan(lake, "--sampled", "--workers", "1")
    assert "Only samples of the files were read." in result.stdout
    assert scan_document(lake, "--sampled") == sampled


def test_ctrl_c_is_told(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("model_heritage_backend.scanning.solving.solve", interrupt)
    result = scan(lake)
    assert result.exit_code == 130
    assert "Stopped. The same command goes on where it was." in result.stderr


def test_without_the_cache_nothing_is_kept(lake: Path, own_cache: Path) -> None:
    document = scan_document(lake, "--no-cache")
    assert not own_cache.exists()
    assert document == scan_document(lake)
    assert own_cache.exists()


def test_names_and_places_do_not_matter(lake: Path, tmp_path: Path) -> None:
    """The same files under other names: the same ids, families and confidences."""
    first = scan_document(lake)
    other = tmp_path / "other"
    for number, path in enumerate(sorted(lake.rglob("*.*"), reverse=True)):
        if path.suffix in (".safetensors", ".pt") and "again" not in path.name:
            copy_old(path, other / f"{number % 3}" / f"{number:03}.bin")
    second = scan_document(other)
    expected = [edge for edge in first["edges"] if not edge["child"].endswith("-2")]
    assert second["edges"] == expected


def test_the_document_alone_on_standard_output(lake: Path) -> None:
    result = scan(lake, "--json", "-")
    document = json.loads(result.stdout)
    Draft202012Validator(load_schema()).validate(document)
    assert result.stderr.startswith("Family F1")


def test_other_files_beside_the_document(lake: Path) -> None:
    files = {name: lake.parent / f"out.{name}" for name in ("csv", "dot", "newick", "cyclonedx")}
    options = [part for name, file in files.items() for part in (f"--{name}", file)]
    document = scan_document(lake, "--no-exact", *map(str, options))
    for name, file in files.items():
        assert file.read_bytes().decode() == DOCUMENT_WRITERS[name](document)


def test_a_file_that_cannot_be_written_is_told_before_the_scan(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be written"):
        scan(tmp_path, "--csv", tmp_path / "nowhere/out.csv")


def test_other_methods_and_no_files(lake: Path) -> None:
    document = scan_document(lake, "--method", "distance_only", "--no-exact")
    assert document["families"][0]["method"] == "distance_only"
    assert all(not edge["evidence"]["exact"] for edge in document["edges"] if edge["distance"])
    assert [method.value for method in Method] == sorted(
        (method.value for method in TreeBuildingMethod), key=[m.value for m in Method].index
    )


def test_unreadable_files_are_reported_and_the_rest_is_read(lake: Path) -> None:
    whole = (lake / "models/noisy.safetensors").read_bytes()
    (lake / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (lake / "tokenizer.bin").write_bytes(b"\x00\x01\x02" * 50)
    (lake / "empty.pt").write_bytes(b"")
    (lake / "[bold]page.pth").write_bytes(b"<!doctype html>")
    torch.save(torch.nn.Linear(2, 2), lake / "whole.pt")

    result = scan(lake, "--json", lake.parent / "out.json")

    assert result.exit_code == 1
    document = json.loads((lake.parent / "out.json").read_text(encoding="utf-8"))
    Draft202012Validator(load_schema()).validate(document)
    assert [(error["path"], error["type"]) for error in document["errors"]] == [
        ("[bold]page.pth", "unsupported-format"),
        ("cut.safetensors", "invalid-weights"),
        ("empty.pt", "unsupported-format"),
        ("tokenizer.bin", "unsupported-format"),
        ("whole.pt", "invalid-weights"),
    ]
    assert len(document["models"]) == 8
    assert "[bold]page.pth: This is a web page" in result.stderr
    assert "cut.safetensors: The safetensors file is cut off" in result.stderr
    assert "Traceback" not in result.output
    assert "5 files could not be read" in result.stdout
    assert str(lake) not in result.output


def test_a_file_that_changes_while_it_is_read_is_an_error(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = reading.hash_file

    def touch_and_hash(path: Path, progress: Any = None) -> str:
        if path.name == "noisy.safetensors":
            os.utime(path, (2, 2))
        return original(path, progress)

    monkeypatch.setattr(reading, "hash_file", touch_and_hash)
    document = scan_document(lake, code=1)
    assert document["errors"] == [
        {
            "path": "models/noisy.safetensors",
            "type": "invalid-weights",
            "detail": "The file changed while it was read.",
        }
    ]


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = scan(tmp_path / "empty")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["0 models, 0 families, 0 parents found."]
    assert scan_document(tmp_path / "empty")["models"] == []


def test_a_cache_that_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    result = scan(tmp_path)
    assert result.exit_code == 0
    assert "cache cannot be used" in result.stderr


def test_links_out_of_the_folder_are_mentioned(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake/a.pt").symlink_to(tmp_path / "b.pt")
    assert "1 link out of the folder not followed." in scan(tmp_path / "lake").stdout
