"""Accuracy in tables: one row per zoo, per kind of zoo, per architecture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import summarise
from benchmarks.scoring import Judgement


@dataclass(frozen=True, kw_only=True)
class Run:
    """One zoo solved by one method."""

    zoo: str
    kind: str
    method: str
    judgement: Judgement
    fingerprint_seconds: float
    solve_seconds: float
    document: Mapping[str, Any]


def build_report(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Rows of figures: every zoo, then every kind over its zoos, then its architectures."""
    rows = []
    for method in dict.fromkeys(run.method for run in runs):
        mine = [run for run in runs if run.method == method]
        rows += [_make_row(run.zoo, method, [run]) for run in mine]
        for kind in dict.fromkeys(run.kind for run in mine):
            same = [run for run in mine if run.kind == kind]
            rows.append(_make_row(f"{kind}: all", method, same))
            names = sorted({v.architecture for run in same for v in run.judgement.verdicts})
            if len(names) > 1:
                rows += [_make_row(f"{kind}: {name}", method, same, name) for name in names]
    return rows


def _make_row(
    title: str, method: str, runs: Sequence[Run], architecture: str | None = None
) -> dict[str, Any]:
    seconds = {
        "fingerprint_seconds": sum(run.fingerprint_seconds for run in runs),
        "solve_seconds": sum(run.solve_seconds for run in runs),
    }
    figures = summarise([run.judgement for run in runs], architecture=architecture)
    return {"zoo": title, "method": method, **figures, **({} if architecture else seconds)}


COLUMNS = {
    "models": "models",
    "family_ari": "ARI",
    "undirected": "undirected",
    "directed": "directed",
    "directed_up_to_copies": "(copies alike)",
    "root": "roots",
    "relation": "relation",
    "merges": "merges",
    "merge_precision": "precision",
    "merge_recall": "recall",
    "coefficient_error": "coefficient error",
    "brier": "Brier",
    "brier_constant": "(constant)",
    "ece": "ECE",
    "sure_share": "sure",
    "sure_accuracy": "right when sure",
    "fingerprint_seconds": "fingerprints s",
    "solve_seconds": "solve s",
}
"""Figure -> its heading in the table."""


def format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| zoo | method | " + " | ".join(COLUMNS.values()) + " |",
        "|---|---|" + "---:|" * len(COLUMNS),
    ]
    for row in rows:
        cells = [_format_figure(row.get(name)) for name in COLUMNS]
        lines.append(f"| {row['zoo']} | {row['method']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _format_figure(value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def list_faults(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Every child that is wrong in some way, for whoever wants to know why."""
    return [
        {
            "zoo": run.zoo,
            "method": run.method,
            "model": verdict.model,
            "architecture": verdict.architecture,
            "named": verdict.parent,
            "true": sorted(verdict.accepted),
            "adjacent": verdict.adjacent,
            "relation": verdict.relation,
            "true_relation": verdict.true_relation,
            "confidence": verdict.confidence,
        }
        for run in runs
        for verdict in run.judgement.verdicts
        if not verdict.is_root and (not verdict.right or verdict.relation != verdict.true_relation)
    ]


def write_results(rows: Sequence[Mapping[str, Any]], runs: Sequence[Run], path: Path) -> Path:
    """Write ``path``.md and ``path``.json; gives the Markdown's path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = path.with_name(f"{path.name}.md")
    today = datetime.now(UTC).date().isoformat()
    table.write_text(f"# Accuracy: {path.name}, {today}\n\n{LEGEND}\n{format_table(rows)}")
    content = {"date": today, "rows": rows, "faults": list_faults(runs)}
    table.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
    return table


LEGEND = """\
Shares are in [0, 1]. *directed*: share of the children whose main parent is right (an exact
duplicate of the true parent counts; for a merge, either parent). *copies alike*: the same with
exact duplicates free to swap places. *relation*: on edges that are right. *sure*: share of the
edges with a confidence of 0.9 or more. Families are found by the engine for every method.
"""
