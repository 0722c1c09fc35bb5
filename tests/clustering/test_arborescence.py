"""Chu-Liu/Edmonds against hand-worked trees and against networkx's optimum."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from model_heritage_backend.clustering.arborescence import find_minimum_arborescence
from model_heritage_backend.errors import InvalidRequest

Costs = NDArray[np.float64]
INF = math.inf

WHOLE = st.integers(-3, 9).map(float)
"""Few values, so that ties are common."""
REAL = st.floats(-5, 100, allow_nan=False)


@st.composite
def graphs(draw: st.DrawFn, *, largest: int = 9) -> Costs:
    """Dense or sparse, with ties or without."""
    size = draw(st.integers(1, largest))
    values = draw(st.sampled_from([WHOLE, REAL, st.one_of(WHOLE, st.just(INF))]))
    return draw(arrays(np.float64, (size, size), elements=values))


MISSING = 1e6
"""Stands for a missing edge in networkx, which overlooks some trees of sparse graphs."""


def find_reference_total(costs: Costs, root: int | None) -> float | None:
    """The optimum by networkx, or None where there is no tree."""
    if len(costs) == 1:
        return 0.0
    graph: nx.DiGraph[int] = nx.DiGraph()
    for i in range(len(costs)):
        for j in range(len(costs)):
            if i != j and j != root:
                graph.add_edge(i, j, weight=min(float(costs[i, j]), MISSING))
    tree = nx.minimum_spanning_arborescence(graph)
    total = sum(weight for _, _, weight in tree.edges(data="weight"))
    return total if total < MISSING / 2 else None


def check_tree(costs: Costs, parents: NDArray[np.int64], root: int | None) -> float:
    """One root, n - 1 edges that exist, everything reached; gives the total cost."""
    tops = np.flatnonzero(parents < 0)
    assert len(tops) == 1
    assert root is None or tops[0] == root
    tree: nx.DiGraph[int] = nx.DiGraph()
    tree.add_nodes_from(range(len(costs)))
    tree.add_edges_from((int(p), c) for c, p in enumerate(parents) if p >= 0)
    assert nx.is_arborescence(tree)
    return sum(float(costs[p, c]) for p, c in tree.edges)


@settings(max_examples=300, deadline=None)
@given(graphs(), st.data())
def test_the_optimum_is_that_of_networkx(costs: Costs, data: st.DataObject) -> None:
    root = data.draw(st.one_of(st.none(), st.integers(0, len(costs) - 1)))
    expected = find_reference_total(costs, root)
    if expected is None:
        with pytest.raises(InvalidRequest, match="No arborescence"):
            find_minimum_arborescence(costs, root=root)
        return
    parents = find_minimum_arborescence(costs, root=root)
    assert check_tree(costs, parents, root) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(graphs(largest=7))
def test_the_free_root_is_the_best_of_all_roots(costs: Costs) -> None:
    totals = [find_reference_total(costs, root) for root in range(len(costs))]
    feasible = [total for total in totals if total is not None]
    if feasible:
        free = check_tree(costs, find_minimum_arborescence(costs), None)
        assert free == pytest.approx(min(feasible), abs=1e-9)


def test_nested_cycles_are_expanded() -> None:
    """Cheap edges close the cycle 1-2, then 0-1-2 with it; only 3 -> 2 (cost 9) leads in.

    3 ──9──> 2 ──1──> 1 ──2──> 0
    """
    costs = np.full((4, 4), INF)
    costs[1, 2] = costs[2, 1] = 1
    costs[1, 0] = costs[0, 1] = 2
    costs[3, 2], costs[3, 0] = 9, 12
    assert find_minimum_arborescence(costs, root=3).tolist() == [1, 2, 3, -1]


def test_asymmetric_costs_choose_the_root() -> None:
    """The chain 0 -> 1 -> 2 costs 2; from 2, going by 0 (5 + 1) beats going by 1 (4 + 4)."""
    costs = np.array([[0, 1, 5], [4, 0, 1], [5, 4, 0]], np.float64)
    assert find_minimum_arborescence(costs).tolist() == [-1, 0, 1]
    assert find_minimum_arborescence(costs, root=2).tolist() == [2, 0, -1]


def test_small_differences_survive_large_costs() -> None:
    """A virtual root with a large constant would drown the 1e-12 that decides."""
    costs = np.full((3, 3), 1.0)
    costs[2, 0] = costs[2, 1] = 1.0 - 1e-12
    costs[1, 2] = 1.0 - 3e-12
    assert find_minimum_arborescence(costs).tolist() == [2, -1, 1]


def test_ties_are_broken_by_index() -> None:
    costs = np.ones((5, 5))
    assert find_minimum_arborescence(costs).tolist() == [-1, 0, 0, 0, 0]
    assert find_minimum_arborescence(costs, root=3).tolist()[3] == -1


def test_one_and_no_node() -> None:
    assert find_minimum_arborescence(np.array([[7.0]])).tolist() == [-1]
    assert find_minimum_arborescence(np.zeros((0, 0))).tolist() == []


def test_the_input_is_left_alone() -> None:
    costs = np.random.default_rng(0).random((6, 6))
    before = costs.copy()
    find_minimum_arborescence(costs)
    assert np.array_equal(costs, before)


@pytest.mark.parametrize(
    ("costs", "root", "detail"),
    [
        (np.ones((2, 3)), None, "square"),
        (np.ones(3), None, "square"),
        (np.array([[0, np.nan], [1, 0]]), None, "numbers"),
        (np.array([[0, -INF], [1, 0]]), None, "numbers"),
        (np.ones((2, 2)), 2, "Root 2"),
        (np.ones((2, 2)), -1, "Root -1"),
        (np.full((2, 2), INF), None, "any root"),
        (np.array([[0, INF], [1, 0]]), 0, "root 0"),
    ],
)
def test_bad_input_is_refused(costs: Costs, root: int | None, detail: str) -> None:
    with pytest.raises(InvalidRequest, match=detail):
        find_minimum_arborescence(costs, root=root)
