"""lineage, impact and export: of a folder, a document or a server, by the same words.

base -> noisy -> odd, and merge from noisy (main) and rotated; guess hangs from base by a guess.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.zoo import Zoo
from model_heritage_backend.cli.main import app
from model_heritage_backend.cli.options import Format
from model_heritage_backend.cli.page import TEMPLATE
from model_heritage_backend.errors import InvalidRequest, NotFound
from model_heritage_backend.interop.export import FORMATS
from tests.cli.conftest import describe_edge
from tests.cli.test_scan import copy_old


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_the_line_from_the_root(document: Path) -> None:
    result = run("lineage", "merge", "--in", document)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "a/base.pt",
        "  └ a/noisy.pt  finetune 95%",
        "    └ a/merge.pt  merge, share 0.60 80%",
        "also from a/rotated.pt 80%",
    ]
    found = json.loads(run("lineage", "1111111111", "--in", document, "--json").output)
    assert [step["path"] for step in found["lineage"]] == ["a/base.pt", "a/noisy.pt"]
    assert found["children"] == ["a/merge.pt", "a/odd.pt"]


def test_what_a_flaw_would_reach(document: Path) -> None:
    found = json.loads(run("impact", "noisy.pt", "--in", document, "--json").output)
    assert [(one["path"], one["probability"]) for one in found["sure"]] == [("a/odd.pt", 0.9)]
    assert [one["path"] for one in found["likely"]] == ["a/merge.pt"]
    assert found["undecided"] == ["a/guess.pt"]
    text = run("impact", "base", "--in", document).output
    assert "5 models would share a flaw of a/base.pt" in text
    assert "a/odd.pt  86% by way of a/noisy.pt" in text
    assert "Nothing there" in run("impact", "odd", "--in", document).output


def test_a_circle_in_a_document_ends(document: Path) -> None:
    content = json.loads(document.read_text())
    content["edges"].append(describe_edge("m_odd", "m_base", 0.9))
    document.write_text(json.dumps(content))
    assert run("lineage", "odd", "--in", document).exit_code == 0


def test_names_that_mean_nothing_or_too_much(document: Path) -> None:
    content = json.loads(document.read_text())
    content["models"][0]["path"] = "b/noisy.pt"
    document.write_text(json.dumps(content))
    assert isinstance(run("lineage", "nobody", "--in", document).exception, NotFound)
    several = run("lineage", "noisy", "--in", document).exception
    assert isinstance(several, InvalidRequest)
    assert "2 models" in several.detail
    for text in ("{}", "[", '{"schema": "model-heritage/1"}'):
        document.write_text(text)
        assert isinstance(run("lineage", "a", "--in", document).exception, InvalidRequest)


def test_of_a_folder(tmp_path: Path, zoo_family: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    for name in ("base", "noisy"):
        copy_old(zoo_family.path(name), tmp_path / "lake" / f"{name}.safetensors")
    lines = run("lineage", "noisy", "--in", tmp_path / "lake").output.splitlines()
    assert lines[0] == "base.safetensors"
    assert lines[1].startswith("  └ noisy.safetensors  finetune ")


def test_of_a_server(running: str) -> None:
    lines = run("lineage", "noisy-odd", "--in", running).output.splitlines()
    assert [line.split()[-3 if line.startswith(" ") else 0] for line in lines[:2]] == [
        "base",
        "noisy",
    ]
    assert "noisy-odd" in run("impact", "base", "--in", running).output
    table = run("export", running, "-f", "csv", "--model", "noisy")
    assert table.output.startswith("model_id,name,family,")
    assert run("export", running, "-f", "mergekit").exit_code == 0


def test_every_format(document: Path, tmp_path: Path) -> None:
    assert {f.value for f in Format} == {*FORMATS, "html"}
    target = tmp_path / "out"
    for format in set(Format) - {Format.MERGEKIT, Format.CYPHER, Format.HTML, Format.MODEL_CARD}:
        result = run("export", document, "-f", format.value, "-o", target)
        assert result.exit_code == 0, result.exception
        assert target.stat().st_size > 0
        target.unlink()
    card = run("export", document, "-f", "model-card", "--model", "odd")
    assert "base_model:" in card.output
    for refused in (["-f", "cypher"], ["-f", "model-card"], ["-f", "csv", "--model", "odd"]):
        assert isinstance(run("export", document, *refused).exception, InvalidRequest)
    if TEMPLATE.exists():
        assert "heritage" in run("export", document, "-f", "html").output
