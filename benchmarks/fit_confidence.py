"""Fits ``ORDERED`` of ``clustering/confidence.py``: python -m benchmarks.fit_confidence --seeds 6 7

Solves zoos, takes down what the confidence of every edge that nothing proves rests on, and asks how
likely the edges that are right and wrong are under it, with the order of neighbours in a line left
out, with the constants in use, and with the best ones. Says of each how many edges come out at 0.9
or more and how many of those are right.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.engine import read_zoo, solve_zoo
from benchmarks.figures import SURE
from benchmarks.scoring import judge
from benchmarks.zoo import BY_MODELS, KINDS, Zoo, get_zoo
from model_heritage_backend.clustering.confidence import ORDERED, Doubt, calculate_confidence
from model_heritage_backend.clustering.description import EdgeWriter

NEVER = 1e-6
LARGEST = (1000.0, 2.0)
"""Largest constants looked for: beyond them the order is decided by every gap."""


@dataclass(frozen=True)
class JudgedEdge:
    """What an edge's confidence rests on, and whether its parent is right."""

    doubt: Doubt
    right: bool


@contextmanager
def record_doubts() -> Iterator[dict[tuple[str, str], Doubt]]:
    """(parent, child) -> doubt of every edge that is described meanwhile, by the engine's ids."""
    found: dict[tuple[str, str], Doubt] = {}
    measure = EdgeWriter.measure_doubt

    def record(writer: EdgeWriter, child: int, parent: int, *rest: Any) -> Doubt:
        doubt = measure(writer, child, parent, *rest)
        if not doubt.copy and child not in writer.merges:
            found[writer.family.ids[parent], writer.family.ids[child]] = doubt
        return doubt

    with patch.object(EdgeWriter, "measure_doubt", record):
        yield found


def measure_zoo(zoo: Zoo) -> list[JudgedEdge]:
    """The edges of a zoo that are neither proven nor between equal models."""
    with record_doubts() as doubts:
        document, _ = solve_zoo(read_zoo(zoo.folder), method="heritage")
    files = {model["file"]: model["id"] for model in zoo.truth["models"]}
    named = {m["id"]: files[PurePosixPath(m["path"]).name] for m in document["models"]}
    sound = {v.model: v.is_sound for v in judge(zoo.truth, document).verdicts if v.parent}
    return [
        JudgedEdge(doubt, sound[named[child]])
        for (_, child), doubt in doubts.items()
        if named[child] in sound
    ]


def calculate_loss(edges: Sequence[JudgedEdge], ordered: Mapping[str, float]) -> float:
    """Minus the log-likelihood, in nats, of what is right and wrong."""
    told = np.clip(list(_list_confidences(edges, ordered)), NEVER, 1 - NEVER)
    right = np.array([edge.right for edge in edges])
    return float(-np.log(np.where(right, told, 1 - told)).sum())


def _list_confidences(edges: Sequence[JudgedEdge], ordered: Mapping[str, float]) -> Iterator[float]:
    for edge in edges:
        # The constants enter the order alone, and as factors of what it rests on.
        gap, odds = (ordered[name] / ORDERED[name] for name in ("gap", "odds"))
        swaps = tuple((gap * g, odds * o) for g, o in edge.doubt.swaps)
        yield calculate_confidence(replace(edge.doubt, swaps=swaps))


def fit(edges: Sequence[JudgedEdge]) -> dict[str, float]:
    """The constants under which the edges are likeliest."""

    def loss(shares: NDArray[np.float64]) -> float:
        return calculate_loss(edges, _name(shares * LARGEST))

    start = np.array([ORDERED["gap"], ORDERED["odds"]]) / LARGEST
    found = minimize(loss, start, bounds=[(0.0, 1.0)] * 2, method="Nelder-Mead")
    return _name(found.x * LARGEST)


def _name(values: NDArray[np.float64]) -> dict[str, float]:
    return {"gap": float(values[0]), "odds": float(values[1])}


def describe(edges: Sequence[JudgedEdge], ordered: Mapping[str, float]) -> str:
    """One line: log-likelihood, share of the edges at 0.9 and more, and how many are wrong."""
    told = np.array(list(_list_confidences(edges, ordered)))
    right = np.array([edge.right for edge in edges])
    sure = told >= SURE
    return (
        f"{-calculate_loss(edges, ordered):8.2f} nats, {sure.sum()} of {len(edges)} edges sure, "
        f"{(~right[sure]).sum()} of them wrong"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kind", choices=list(KINDS), default="wild")
    parser.add_argument("--seeds", type=int, nargs="+", default=[6, 7, 8, 9, 11, 12])
    parser.add_argument("--models", type=int, default=60)
    options = parser.parse_args(arguments)
    edges: list[JudgedEdge] = []
    for seed in options.seeds:
        models = options.models if options.kind in BY_MODELS else None
        edges += measure_zoo(get_zoo(options.kind, seed, models=models))
    best = fit(edges)
    unasked = [JudgedEdge(replace(edge.doubt, swaps=()), edge.right) for edge in edges]
    print("order left out ", describe(unasked, ORDERED))
    print("constants in use", describe(edges, ORDERED), ORDERED)
    print("best constants  ", describe(edges, best), best)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
