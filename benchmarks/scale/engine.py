"""Distances, ranks and trees beside the plain ways of getting them."""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from benchmarks.scale.rows import Row, at_most, time_median
from benchmarks.scale.synthetic import Breeder, fingerprint_arrays
from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.arborescence import find_minimum_arborescence
from model_heritage_backend.clustering.mother_utils import calculate_l2_distance
from model_heritage_backend.clustering.pair_statistics import AllPairs
from model_heritage_backend.clustering.routes import (
    Layout,
    calculate_scores,
    encode_route,
    list_matrices,
)
from model_heritage_backend.clustering.spectra import calculate_delta_rank
from model_heritage_backend.clustering.threads import one_blas_thread

WIDTH, LAYERS, MEMBERS = 768, 12, 20
ROUTES = 100_000
ROUNDOFF_BF16 = 2.0**-9


def measure() -> Iterator[Row]:
    with one_blas_thread():
        yield from measure_pairs()
        yield from measure_ranks()
        yield from measure_trees()


def measure_pairs() -> Iterator[Row]:
    """Models of the size of ViT-base: 72 matrices, 85 million values."""
    shapes = {
        f"blocks.{block}.{name}.weight": shape
        for block in range(LAYERS)
        for name, shape in (
            ("query", (WIDTH, WIDTH)),
            ("key", (WIDTH, WIDTH)),
            ("value", (WIDTH, WIDTH)),
            ("out", (WIDTH, WIDTH)),
            ("up", (4 * WIDTH, WIDTH)),
            ("down", (WIDTH, 4 * WIDTH)),
        )
    }
    rng = np.random.default_rng(1)
    root = {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    child = {}
    for name, values in root.items():
        child[name] = values + np.float32(0.01) * rng.standard_normal(values.shape, np.float32)
    exact = time_median(lambda: calculate_l2_distance(root, child), 5)
    yield at_most("exact L2 of ViT-base, in memory", exact, "s", "specification", 0.1, None)
    prints = {}
    for number in range(MEMBERS):
        length = np.float32(0.01 * number)
        moved = {n: (v + length * child[n]).astype(np.float32) for n, v in root.items()}
        prints[f"m_{number:02}"] = fingerprint_arrays(moved, str(number))
    family = AlignedFamily.build(prints)
    pairs = MEMBERS * (MEMBERS - 1) / 2
    stored = time_median(lambda: AllPairs.measure(family, range(MEMBERS)), 5) / pairs
    yield at_most("a pair of 20, from fingerprints", stored, "s", "exact L2", exact, None)
    first = prints["m_00"]
    layout = Layout.build(first.structural_hash, list_matrices(first))
    route = encode_route(first)
    routes = rng.integers(-90, 90, (ROUTES, len(route)), dtype=np.int8)
    structures = np.zeros(ROUTES, np.int64)
    found = time_median(lambda: calculate_scores(route, layout, [layout], routes, structures), 5)
    yield at_most("a pair of stored routes", found / ROUTES, "s", "exact L2", exact, 1e4)
    yield at_most("one among 100,000 of one structure", found, "s", "exact L2", exact, None)
    matrix = root["blocks.0.query.weight"].astype(np.float64)
    l2 = time_median(lambda: AllPairs.measure(family, [0, 1]), 5)
    yield at_most("a pair by itself, from fingerprints", l2, "s", "specification, L2", 0.1)
    rank = time_median(lambda: np.linalg.matrix_rank(matrix), 1)
    yield at_most("matrix_rank of one 768 x 768", rank, "s", "specification, a pair", 0.2, None)


def measure_ranks() -> Iterator[Row]:
    """The rank of a change of rank 16, of weights in float32 and rounded to bfloat16."""
    rng = np.random.default_rng(2)
    weights = rng.standard_normal((WIDTH, WIDTH)) * 0.02
    step = rng.standard_normal((WIDTH, 16)) @ rng.standard_normal((16, WIDTH)) * 2e-3
    both = [_round(values.astype(np.float32)) for values in (weights, weights + step)]
    delta = both[1].astype(np.float64) - both[0]
    noise = 4 * ROUNDOFF_BF16 * float(np.sqrt((weights**2).mean())) * 2 * np.sqrt(WIDTH)
    if calculate_delta_rank(delta, noise=noise) != 16:
        raise RuntimeError("the rank of a step of rank 16 is not found in bfloat16")
    plain = time_median(lambda: np.linalg.matrix_rank(delta), 5)
    ours = time_median(lambda: calculate_delta_rank(delta, noise=noise), 5)
    yield at_most("rank of a change, 768 x 768, bf16", ours, "s", "numpy's matrix_rank", plain, 20)


def _round(values: NDArray[np.float32]) -> NDArray[np.float32]:
    bits = values.view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32)


def measure_trees() -> Iterator[Row]:
    costs = np.random.default_rng(3).random((50, 50))
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_weighted_edges_from(
        (i, j, costs[i, j]) for i in range(50) for j in range(50) if i != j
    )
    plain = time_median(lambda: nx.minimum_spanning_arborescence(graph), 5)
    ours = time_median(lambda: find_minimum_arborescence(costs), 25)
    yield at_most("arborescence of 50", ours, "s", "networkx", plain, 1e4)
    small = np.random.default_rng(3).random((10, 10))
    ten = time_median(lambda: find_minimum_arborescence(small), 25)
    yield at_most("arborescence of 10", ten, "s", "specification, a tree", 0.5)
    yield from _measure_ten()


def _measure_ten() -> Iterator[Row]:
    """A whole tree of ten models, copies and merges and confidences with it."""
    from model_heritage_backend.clustering.heritage import solve_family

    shapes = {f"layers.{layer}.weight": (64, 64) for layer in range(8)}
    prints = {
        str(born.place): fingerprint_arrays(born.weights, str(born.place))
        for born in Breeder(shapes, 1).grow(10)
    }
    found = time_median(lambda: solve_family(prints), 5)
    yield at_most("tree of 10 solved from fingerprints", found, "s", "specification, a tree", 0.5)
