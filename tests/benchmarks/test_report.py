"""Tables over runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.report import (
    Run,
    build_report,
    format_sure_wrong,
    format_table,
    list_faults,
    list_sure_wrong,
    write_results,
)
from benchmarks.scoring import judge
from tests.benchmarks.trees import Link, draw_document, draw_truth

LINE = [("a", "b", "finetune"), ("b", "c", "adapter")]
TRUTH = draw_truth({"F": "a b c"}, LINE)
WRONG = [("a", "b", "finetune"), ("a", "c", "finetune")]


def make_run(zoo: str, method: str, links: list[Link], architecture: str = "vit") -> Run:
    truth = {
        **TRUTH,
        "models": [{**m, "architecture": architecture} for m in TRUTH["models"]],
    }
    document: dict[str, Any] = draw_document(truth, links)
    return Run(
        zoo=zoo,
        kind="wild",
        method=method,
        judgement=judge(truth, document),
        fingerprint_seconds=1.0,
        solve_seconds=2.0,
        document=document,
    )


RUNS = [
    make_run("one", "heritage", LINE),
    make_run("two", "heritage", WRONG, "gpt"),
    make_run("one", "mother", WRONG),
]


def test_rows_are_zoos_then_kinds_then_architectures() -> None:
    rows = build_report(RUNS)
    assert [(row["zoo"], row["method"], row["directed"]) for row in rows] == [
        ("one", "heritage", 1.0),
        ("two", "heritage", 0.5),
        ("wild: all", "heritage", 0.75),
        ("wild: gpt", "heritage", 0.5),
        ("wild: vit", "heritage", 1.0),
        ("one", "mother", 0.5),
        ("wild: all", "mother", 0.5),
    ]
    assert rows[2]["solve_seconds"] == 4.0


def test_kinds_are_kept_apart() -> None:
    small = replace(make_run("three", "heritage", WRONG), kind="small-step")
    rows = {row["zoo"]: row["directed"] for row in build_report([RUNS[0], small])}
    assert rows["wild: all"] == 1.0
    assert rows["small-step: all"] == 0.5


def test_the_table_has_a_cell_for_every_figure() -> None:
    lines = format_table(build_report(RUNS)).splitlines()
    assert len(lines) == 2 + 7
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| one | heritage | 3 | 1.000 |")


def test_faults_name_what_was_said_and_what_is_true() -> None:
    (fault,) = list_faults(RUNS[1:2])
    assert (fault["model"], fault["named"], fault["true"]) == ("c", "a", ["b"])
    assert list_faults(RUNS[:1]) == []


def test_results_are_written_twice(tmp_path: Path) -> None:
    rows = build_report(RUNS)
    table = write_results(rows, RUNS, tmp_path / "results" / "v1.2")
    assert table.name == "v1.2.md"
    assert format_table(rows) in table.read_text()
    content = json.loads((table.parent / "v1.2.json").read_text())
    assert content["rows"] == rows
    assert len(content["faults"]) == 2


def test_sure_mistakes_are_listed_with_names() -> None:
    runs = [make_run("two", "heritage", [*WRONG, ("c", "b", "finetune")]), *RUNS]
    found = list_sure_wrong(runs)
    assert [(w["zoo"], w["method"], w["model"], w["named"], w["true"]) for w in found] == [
        ("two", "heritage", "b", "c", "a"),
        ("two", "heritage", "c", "a", "b"),
        ("two", "heritage", "c", "a", "b"),
        ("one", "mother", "c", "a", "b"),
    ]
    section = format_sure_wrong(RUNS, "heritage")
    assert "| two | c | gpt | a | b |  | 1.000 |" in section
    assert "None." in format_sure_wrong(RUNS[:1], "heritage")
