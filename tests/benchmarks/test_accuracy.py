"""The whole measurement on the small family: read, solve, judge, report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import accuracy
from benchmarks.zoo import Zoo


def test_both_methods_are_measured(
    zoo_family: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accuracy, "RESULTS", tmp_path)
    assert accuracy.main([str(zoo_family.folder), "--name", "small"]) == 0
    rows = json.loads((tmp_path / "small.json").read_text())["rows"]
    assert [(row["zoo"], row["method"]) for row in rows] == [
        (zoo_family.folder.name, "heritage"),
        ("exhibit: all", "heritage"),
        (zoo_family.folder.name, "mother"),
        ("exhibit: all", "mother"),
    ]
    ours, mothers = rows[0], rows[2]
    assert ours["models"] == mothers["models"] == 12
    assert ours["family_ari"] == 1.0
    assert ours["directed_up_to_copies"] >= 0.8 > mothers["directed_up_to_copies"]
    assert "| exhibit: all | heritage | 12 |" in (tmp_path / "small.md").read_text()
