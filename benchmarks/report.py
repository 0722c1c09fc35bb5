"""Accuracy in tables: one row per zoo, per kind of zoo, per architecture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import is_sure_wrong, summarise
from benchmarks.scoring import Judgement, Verdict


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
    "coverage": "coverage",
    "ghosts": "ghosts",
    "ghosts_told": "told",
    "ghost_precision": "ghost precision",
    "ghost_recall": "ghost recall",
    "orphans": "orphans",
    "orphans_abstained": "left open",
    "orphans_ancestor": "ancestor named",
    "orphans_sure_wrong": "surely wrong",
    "altered_pairs": "altered pairs",
    "altered_related": "related",
    "altered_false": "falsely",
    "fingerprint_seconds": "fingerprints s",
    "solve_seconds": "solve s",
}
"""Figure -> its heading in the table."""
SPECIAL = [name for name in COLUMNS if name.startswith(("ghost", "orphan", "altered"))]
"""Columns that are left out when no zoo has anything to say there."""
LISTED = 40
"""Wrong edges in the Markdown; all are in the JSON."""


def format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a Markdown table."""
    columns = {
        name: heading
        for name, heading in COLUMNS.items()
        if name not in SPECIAL or any(row.get(name) is not None for row in rows)
    }
    lines = [
        "| zoo | method | " + " | ".join(columns.values()) + " |",
        "|---|---|" + "---:|" * len(columns),
    ]
    for row in rows:
        cells = [_format_figure(row.get(name)) for name in columns]
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
        if verdict.accepted and (not verdict.right or verdict.relation != verdict.true_relation)
    ]


def list_sure_wrong(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Wrong parents that were named with a confidence of 0.9 or more, the surest first."""
    found = [
        {
            "zoo": run.zoo,
            "method": run.method,
            "architecture": verdict.architecture,
            "model": run.judgement.names[verdict.model],
            "file": verdict.model,
            "named": run.judgement.names[str(verdict.parent)],
            "true": describe_truth(verdict, run.judgement.names),
            "relation": verdict.relation,
            "operation": verdict.operation,
            "confidence": verdict.confidence,
        }
        for run in runs
        for verdict in run.judgement.verdicts
        if is_sure_wrong(verdict)
    ]
    return sorted(found, key=lambda wrong: -float(wrong["confidence"] or 0.0))


def describe_truth(verdict: Verdict, names: Mapping[str, str]) -> str:
    """The true parent by name, or why there is none."""
    if verdict.is_root:
        return "a root"
    if verdict.orphan:
        return "parent withheld"
    return " or ".join(sorted(names[parent] for parent in verdict.accepted))


def format_sure_wrong(runs: Sequence[Run], method: str) -> str:
    """One method's surest mistakes as a Markdown section."""
    wrong = [fault for fault in list_sure_wrong(runs) if fault["method"] == method]
    lines = [f"## Wrong with a confidence of 0.9 or more: {method}", ""]
    if not wrong:
        return "\n".join([*lines, "None.", ""])
    lines += [
        f"{len(wrong)} edges" + (f", the first {LISTED}:" if len(wrong) > LISTED else ":"),
        "",
        "| zoo | model | architecture | named parent | true parent | operation | confidence |",
        "|---|---|---|---|---|---|---:|",
    ]
    for fault in wrong[:LISTED]:
        cells = ("zoo", "model", "architecture", "named", "true", "operation")
        told = " | ".join(str(fault[name] or "") for name in cells)
        lines.append(f"| {told} | {fault['confidence']:.3f} |")
    return "\n".join([*lines, ""])


def write_results(rows: Sequence[Mapping[str, Any]], runs: Sequence[Run], path: Path) -> Path:
    """Write ``path``.md and ``path``.json; gives the Markdown's path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = path.with_name(f"{path.name}.md")
    today = datetime.now(UTC).date().isoformat()
    first = runs[0].method
    table.write_text(
        f"# Accuracy: {path.name}, {today}\n\n{LEGEND}\n{format_table(rows)}\n"
        f"{format_sure_wrong(runs, first)}"
    )
    content = {
        "date": today,
        "rows": rows,
        "sure_wrong": list_sure_wrong(runs),
        "faults": list_faults(runs),
    }
    table.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
    return table


LEGEND = """\
Shares are in [0, 1]. *directed*: share of the children whose main parent is right (an exact
duplicate of the true parent counts; for a merge, either parent). *copies alike*: the same with
exact duplicates free to swap places. *relation*: on edges that are right. *sure*: share of the
edges with a confidence of 0.9 or more; what is said with a confidence is taken as right of a model
where it is right of an exact duplicate of it. *coverage*: largest share of the edges above one
confidence of which 95 % are right. Families are found by the engine for every method. *orphans*:
models whose parent was withheld; they count in none of the shares before. Of altered models,
*altered pairs* are those with a relative, *falsely* counts the strangers taken for relatives.
"""
