"""What oracles make of the small family, and figures that are checked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.ceiling import (
    AS_IS,
    NO_NOISE,
    TRUE_ROOTS,
    Ceiling,
    TrueEdge,
    main,
    summarise,
    write_results,
)
from benchmarks.scoring import judge
from benchmarks.zoo import Zoo
from tests.benchmarks.trees import draw_document, draw_truth

LINE = [("a", "b", "finetune"), ("b", "c", "adapter"), ("a", "d", "pruned")]
TRUTH = draw_truth({"F": "a b c d"}, LINE)
REVERSED = [("b", "a", "finetune"), ("b", "c", "adapter"), ("a", "d", "pruned")]


def draw_edge(odds: float, *halves: float) -> TrueEdge:
    return TrueEdge(parent="a", child="b", architecture="vit", odds=odds, halves=halves)


def test_evidence_contradicts_itself_where_its_halves_do() -> None:
    assert draw_edge(1.0, 2.0, -1.0).contradicts
    assert draw_edge(1.0, 2.0, 0.0).contradicts, "the one half says nothing"
    assert not draw_edge(-3.0, -2.0, -1.0).contradicts


def test_figures_are_counted(tmp_path: Path) -> None:
    right, wrong = (judge(TRUTH, draw_document(TRUTH, links)) for links in (LINE, REVERSED))
    found = Ceiling(
        zoo="z",
        kind="small-step",
        judgements={AS_IS: wrong, TRUE_ROOTS: right, NO_NOISE: wrong},
        edges=[draw_edge(1.0, 2.0, -1.0), draw_edge(-1.0, -1.0, -2.0), draw_edge(2.0, 1.0, 1.0)],
        mistakes=[{"child": "a"}],
    )
    row = summarise([found])[0]
    assert (row["edges"], row["undirected"]) == (3, 1.0)
    assert row[f"directed, {AS_IS}"] == row[f"directed, {NO_NOISE}"] == pytest.approx(2 / 3)
    assert row[f"directed, {TRUE_ROOTS}"] == 1.0
    assert (row["sign right"], row["contradict themselves"]) == pytest.approx((2 / 3, 1 / 3))
    assert row["sign right, consistent"] == 0.5
    assert "| z | a |" in write_results([found], tmp_path / "out").read_text()


def test_oracles_help(zoo_family: Zoo, tmp_path: Path) -> None:
    assert main([str(zoo_family.folder), "--out", str(tmp_path / "ceiling")]) == 0
    found = json.loads((tmp_path / "ceiling.json").read_text())
    row = found["rows"][0]
    assert row["edges"] == 11
    assert row[f"directed, {AS_IS}"] <= row[f"directed, {TRUE_ROOTS}"] <= row["undirected"]
    assert len(found["trained_edges"]) == row["trained edges"] > 5
