"""How often parents of each confidence are right, on zoos that nothing was fitted to.

``python -m benchmarks.calibration`` solves the held-out wild zoos and writes
``benchmarks/results/heldout-calibration.json``. The figures stand in
``model_heritage_backend/clustering/calibration.py`` for the statistics page; a test compares both.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.accuracy import run_zoo
from benchmarks.figures import BINS
from benchmarks.zoo import get_zoo

RESULT = Path(__file__).parent / "results" / "heldout-calibration.json"
SEEDS = (31, 32, 33, 41, 42, 43, 51, 52, 53)
MODELS = 60


def bin_edges(edges: Iterable[tuple[float, bool]]) -> list[dict[str, Any]]:
    """Edges by confidence, in bins of equal width: their number and how many are right.

    Parameters
    ----------
    edges : (confidence in [0, 1], whether the parent is right)
    """
    bins = [{"edges": 0, "right": 0, "confidence": 0.0} for _ in range(BINS)]
    for confidence, right in edges:
        place = bins[min(int(confidence * BINS), BINS - 1)]
        place["edges"] += 1
        place["right"] += right
        place["confidence"] += confidence
    return [
        {
            "edges": place["edges"],
            "right": place["right"],
            "mean_confidence": round(place["confidence"] / place["edges"], 4)
            if place["edges"]
            else None,
        }
        for place in bins
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    options = parser.parse_args(arguments)
    edges = []
    for seed in options.seeds:
        zoo = get_zoo("wild", seed, models=MODELS, families=None)
        [run] = run_zoo(zoo, ["heritage"])
        edges += [
            (verdict.confidence, verdict.is_sound)
            for verdict in run.judgement.verdicts
            if verdict.confidence is not None
        ]
        print(f"{zoo.folder.name} solved", file=sys.stderr, flush=True)
    result = {"kind": "wild", "seeds": options.seeds, "bins": bin_edges(edges)}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(RESULT.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
