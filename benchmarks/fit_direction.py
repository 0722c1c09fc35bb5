"""Fits the weights of ``clustering/direction.py``: python -m benchmarks.fit_direction --seeds 1 2 3

Trains (or takes from the cache) wild zoos, measures the exact evidence of every true edge that
training made, and fits a logistic regression without intercept, so that swapping parent and child
swaps the sign. Prints the accuracy when each zoo and when each architecture is left out, and the
weights fitted on all.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.zoo import Zoo, get_zoo
from model_heritage_backend.clustering.direction import WEIGHTS, list_features
from model_heritage_backend.clustering.edge_measures import measure_edge
from model_heritage_backend.fingerprints.names import canonicalise_names
from model_heritage_backend.weights import open_weights
from model_heritage_backend.weights.tensors import FLOAT32_ROUNDOFF, LazyTensor

TRAINED = ("finetune", "partial", "adapter")
PENALTY = 0.003
Vector = NDArray[np.float64]
Tensors = Mapping[str, LazyTensor]


@dataclass(frozen=True)
class TrueEdge:
    """Features of one edge, seen as (parent, child), and where it comes from."""

    features: Vector
    zoo: str
    architecture: str


def measure_zoo(zoo: Zoo, name: str) -> Iterator[TrueEdge]:
    """Every edge made by training that changed a matrix."""
    models = {model["id"]: model for model in zoo.truth["models"]}
    for edge in zoo.truth["edges"]:
        if edge["relation"] not in TRAINED:
            continue
        parent, child = models[edge["parent"]], models[edge["child"]]
        with open_by_name(zoo, parent) as a, open_by_name(zoo, child) as b:
            evidence = measure_edge(a, b, roundoff=FLOAT32_ROUNDOFF)
        if evidence.relative_change > 0:
            features = np.array(list(list_features(evidence).values()))
            yield TrueEdge(features, name, child["architecture"])


@contextmanager
def open_by_name(zoo: Zoo, model: Mapping[str, Any]) -> Iterator[Tensors]:
    """The tensors of one of the models of a zoo's truth, by canonical name."""
    with open_weights(zoo.folder / model["file"]) as weights:
        names = canonicalise_names(weights)
        yield {names[name]: tensor for name, tensor in weights.items()}


def fit(features: Vector) -> Vector:
    """Weights w that minimise mean ln(1 + exp(-x w)) + PENALTY |w|^2 over edges' features x."""

    def loss(w: Vector) -> tuple[float, Vector]:
        odds = features @ w
        slope = -(features / (1 + np.exp(odds))[:, None]).mean(0)
        return float(np.logaddexp(0, -odds).mean() + PENALTY * w @ w), slope + 2 * PENALTY * w

    found: Vector = minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B").x
    return found


def leave_out(edges: Sequence[TrueEdge], group: str) -> dict[str, tuple[int, float]]:
    """Number of edges and accuracy of each group when the weights are fitted on the others."""
    features = np.array([edge.features for edge in edges])
    groups = np.array([getattr(edge, group) for edge in edges])
    found = {}
    for held in sorted(set(groups)):
        out = groups == held
        right = features[out] @ fit(features[~out]) > 0
        found[str(held)] = (int(out.sum()), float(right.mean()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--models", type=int, default=60)
    options = parser.parse_args()
    edges: list[TrueEdge] = []
    for seed in options.seeds:
        zoo = get_zoo("wild", seed, models=options.models)
        edges += measure_zoo(zoo, f"wild-{seed}")
    for group in ("zoo", "architecture"):
        print(f"\nleft out: one {group} at a time")
        for name, (count, accuracy) in leave_out(edges, group).items():
            print(f"  {name:12} {count:4} edges  {accuracy:.3f} right")
    weights = fit(np.array([edge.features for edge in edges]))
    print("\nfitted on all, beside those in use")
    for name, weight in zip(WEIGHTS, weights, strict=True):
        print(f"  {name:16} {weight:6.2f}  {WEIGHTS[name]:6.2f}")


if __name__ == "__main__":
    main()
