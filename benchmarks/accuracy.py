"""How often the engine is right, on zoos whose genealogy is known, beside MoTHer's method.

``python -m benchmarks.accuracy --kinds wild small-step --seeds 11 12`` trains what is not in the
cache yet, solves every zoo, prints a table and writes Markdown and JSON into benchmarks/results/.
Without arguments it takes one zoo of every kind.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engine import read_zoo, relate_zoo, solve_zoo
from benchmarks.pairs import judge_pairs
from benchmarks.report import Run, build_report, format_table, write_results
from benchmarks.scoring import judge
from benchmarks.zoo import BY_MODELS, KINDS, Zoo, get_zoo

RESULTS = Path(__file__).parent / "results"
METHODS = ("heritage", "mother", "distance_only", "kurtosis_only")


def run_zoo(zoo: Zoo, methods: Sequence[str]) -> list[Run]:
    """Solve a zoo by every method, from fingerprints that are taken once."""
    begun = time.perf_counter()
    reading = read_zoo(zoo.folder)
    fingerprint_seconds = time.perf_counter() - begun
    pairs = judge_pairs(zoo.truth, *relate_zoo(reading)) if zoo.has_alterations else []
    runs = []
    for method in methods:
        document, seconds = solve_zoo(reading, method=method)
        runs.append(
            Run(
                zoo=zoo.folder.name,
                kind=zoo.truth["generator"]["kind"],
                method=method,
                judgement=judge(zoo.truth, document, pairs=pairs),
                fingerprint_seconds=fingerprint_seconds,
                solve_seconds=seconds,
                document=document,
            )
        )
    return runs


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="zoos that are there already")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=[])
    parser.add_argument("--seeds", nargs="+", type=int, default=[11])
    wild = ", ".join(BY_MODELS)
    parser.add_argument("--models", type=int, default=60, help=f"size of the zoos: {wild}")
    parser.add_argument("--families", type=int, help="families in the zoos of the other kinds")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS[:2]))
    parser.add_argument("--name", default="accuracy", help="of the two result files")
    options = parser.parse_args(arguments)
    kinds = options.kinds or ([] if options.folders else list(KINDS))
    zoos = [Zoo(folder) for folder in options.folders]
    runs: list[Run] = []
    for kind in kinds:
        for seed in options.seeds:
            print(f"{kind}, seed {seed} ...", file=sys.stderr, flush=True)
            # A size that does not matter is no part of a zoo's name.
            models = options.models if kind in BY_MODELS else None
            zoos.append(get_zoo(kind, seed, models=models, families=options.families))
    for zoo in zoos:
        runs += run_zoo(zoo, options.methods)
        print(f"{zoo.folder.name} solved", file=sys.stderr, flush=True)
    rows = build_report(runs)
    print(format_table(rows))
    print(f"Written: {write_results(rows, runs, RESULTS / options.name)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
