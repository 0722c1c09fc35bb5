"""How often the engine is right, on zoos whose genealogy is known, beside MoTHer's method.

``python -m benchmarks.accuracy --kinds wild small-step --seeds 11 12`` trains what is not in the
cache yet, solves every zoo, prints a table and writes Markdown and JSON into benchmarks/results/.
Without arguments it takes one zoo of every kind.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.engine import read_fingerprints, solve
from benchmarks.figures import summarise
from benchmarks.scoring import Judgement, judge
from benchmarks.zoo import KINDS, Zoo, get_zoo
from model_heritage_backend.clustering import TreeBuildingMethod

RESULTS = Path(__file__).parent / "results"
METHODS = (TreeBuildingMethod.HERITAGE, TreeBuildingMethod.MOTHER)


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


def run_zoo(zoo: Zoo, methods: Sequence[TreeBuildingMethod]) -> list[Run]:
    """Solve a zoo by every method, from fingerprints that are taken once."""
    begun = time.perf_counter()
    prints = read_fingerprints(zoo.folder)
    fingerprint_seconds = time.perf_counter() - begun
    runs = []
    for method in methods:
        document, seconds = solve(prints, method)
        runs.append(
            Run(
                zoo=zoo.folder.name,
                kind=zoo.truth["generator"]["kind"],
                method=method.value,
                judgement=judge(zoo.truth, document),
                fingerprint_seconds=fingerprint_seconds,
                solve_seconds=seconds,
                document=document,
            )
        )
    return runs


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


def write_results(rows: Sequence[Mapping[str, Any]], runs: Sequence[Run], name: str) -> Path:
    """Write ``name.md`` and ``name.json`` into the results folder; gives the Markdown's path."""
    RESULTS.mkdir(exist_ok=True)
    table = RESULTS / f"{name}.md"
    today = datetime.now(UTC).date().isoformat()
    table.write_text(f"# Accuracy: {name}, {today}\n\n{LEGEND}\n{format_table(rows)}")
    content = {"date": today, "rows": rows, "faults": list_faults(runs)}
    table.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
    return table


LEGEND = """\
Shares are in [0, 1]. *directed*: share of the children whose main parent is right (an exact
duplicate of the true parent counts; for a merge, either parent). *copies alike*: the same with
exact duplicates free to swap places. *relation*: on edges that are right. *sure*: share of the
edges with a confidence of 0.9 or more. Families are found by the engine for every method.
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="zoos that are there already")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=[])
    parser.add_argument("--seeds", nargs="+", type=int, default=[11])
    parser.add_argument("--models", type=int, help="size of the wild zoos")
    parser.add_argument("--families", type=int, help="families in the zoos of the other kinds")
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=[m.value for m in METHODS],
        default=[m.value for m in METHODS],
    )
    parser.add_argument("--name", default="accuracy", help="of the two result files")
    options = parser.parse_args(arguments)
    kinds = options.kinds or ([] if options.folders else list(KINDS))
    zoos = [Zoo(folder) for folder in options.folders]
    runs: list[Run] = []
    methods = [TreeBuildingMethod(method) for method in options.methods]
    for kind in kinds:
        for seed in options.seeds:
            print(f"{kind}, seed {seed} ...", file=sys.stderr, flush=True)
            sizes = {"models": options.models, "families": options.families}
            zoos.append(get_zoo(kind, seed, **sizes))
    for zoo in zoos:
        runs += run_zoo(zoo, methods)
        print(f"{zoo.folder.name} solved", file=sys.stderr, flush=True)
    rows = build_report(runs)
    print(format_table(rows))
    print(f"Written: {write_results(rows, runs, options.name)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
