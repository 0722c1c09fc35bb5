"""Strangers are told apart, and a relative among them would be noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import unrelated
from benchmarks.architectures import Architecture, Kind

TINY = Architecture(kind=Kind.MLP, width=32, depth=2, hidden=16, outputs=10)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unrelated, "ARCHITECTURES", {"MLP": TINY})
    monkeypatch.setattr(unrelated, "STEPS", (2, 4))


def test_results_are_written(tmp_path: Path) -> None:
    assert unrelated.main(["--models", "6", "--out", str(tmp_path / "found")]) == 0
    (found,) = json.loads((tmp_path / "found.json").read_text())["architectures"]
    assert (found["models"], found["pairs"], found["false"], found["families"]) == (6, 15, 0, 6)
    assert 0 < found["largest_z"] < 8
    assert "| all | 6 | 15 |" in (tmp_path / "found.md").read_text()


def test_a_model_met_twice_is_a_false_link(monkeypatch: pytest.MonkeyPatch) -> None:
    once = next(unrelated.train_all(TINY, 1))
    monkeypatch.setattr(unrelated, "train_all", lambda *_: iter([once, once]))
    found = unrelated.measure("MLP", TINY, 2)
    assert (found.false, found.families) == (1, 1)
    assert found.largest_correlation == pytest.approx(1.0, abs=1e-3)


def test_every_start_is_another(tmp_path: Path) -> None:
    first, second = list(unrelated.train_all(TINY, 4))[:2]
    values = [f.tensors["layers.0.weight"].value_digest for f in (first, second)]
    assert values[0] != values[1]
