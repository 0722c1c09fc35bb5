"""The families whose solution is timed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks import speed
from benchmarks.speed import Nursery, measure_newcomer, take_fingerprints
from model_heritage_backend.clustering.relatedness import find_components

ROOT = {
    "a.weight": torch.randn(64, 48, generator=torch.Generator().manual_seed(1)),
    "a.bias": torch.zeros(64),
}


def test_the_same_seed_grows_the_same_family() -> None:
    first, again, other = (Nursery(ROOT, seed) for seed in (1, 1, 2))
    for _ in range(12):
        models = [nursery.bear()["a.weight"] for nursery in (first, again, other)]
        assert models[0].equal(models[1])
        assert not models[0].equal(models[2])


def test_what_is_timed_is_one_family() -> None:
    prints = dict(take_fingerprints(ROOT, 12))
    assert find_components(prints) == [sorted(prints)]
    assert len({fingerprint.checksum for fingerprint in prints.values()}) == 12
    arrival, tree = measure_newcomer(prints)
    assert arrival.wall > tree.wall > 0.0


def test_all_figures_come_out_of_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed, "train", lambda _: ROOT)
    out = tmp_path / "speed"
    arguments = ["--widths", "8", "--small", "3", "--large", "5", "--out", str(out)]
    assert speed.main(arguments) == 0
    figures = json.loads(out.with_suffix(".json").read_text())
    assert [figure["asked"] for figure in figures] == [0.3, 0.05, 60.0]
    for figure in figures:
        ratio = figure["found"]["cpu"] / figure["yardstick"]["cpu"]
        assert figure["ratio"] == pytest.approx(ratio)
    table = out.with_suffix(".md").read_text()
    assert table in capsys.readouterr().out
    assert table.splitlines()[-1].startswith("| 8 | 5 from fingerprints | 60 |")
