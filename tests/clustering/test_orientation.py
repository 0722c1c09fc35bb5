"""The posterior over roots against going through all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering.orientation import (
    CHILDREN_WEIGHT,
    EVIDENCE_WEIGHT,
    Orientation,
    orient,
    point,
    walk,
)
from model_heritage_backend.clustering.skeleton import Neighbours

LogOdds = dict[tuple[int, int], float]


def make_neighbours(links: Mapping[tuple[int, int], float]) -> Neighbours:
    neighbours: Neighbours = {}
    for a, b in links:
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    return neighbours


@st.composite
def draw_tree(draw: st.DrawFn) -> LogOdds:
    """A random tree on 2 to 9 places (not all of 0..9), with log-odds of its edges."""
    places = draw(st.lists(st.integers(0, 9), min_size=2, max_size=9, unique=True))
    odds = {}
    for index in range(1, len(places)):
        above = places[draw(st.integers(0, index - 1))]
        odds[above, places[index]] = draw(st.floats(-6, 6))
    return odds


def score_naively(log_odds: LogOdds, root: int) -> float:
    """Walk the tree from this root: odds of all its edges, and its number of children."""
    neighbours = make_neighbours(log_odds)
    order, parents = walk(neighbours, root)
    both = log_odds | {(b, a): -value for (a, b), value in log_odds.items()}
    evidence = sum(both[parents[m], m] for m in order[1:])
    return EVIDENCE_WEIGHT * evidence + CHILDREN_WEIGHT * math.log(1 + len(neighbours[root]))


@given(draw_tree())
@settings(max_examples=80, deadline=None)
def test_the_posterior_is_that_of_all_roots_tried(log_odds: LogOdds) -> None:
    neighbours = make_neighbours(log_odds)
    found = orient(neighbours, log_odds, 10)
    weights = np.array(
        [math.exp(score_naively(log_odds, m)) if m in neighbours else 0.0 for m in range(10)]
    )
    np.testing.assert_allclose(found.posterior, weights / weights.sum(), rtol=1e-9, atol=1e-12)
    assert found.posterior[found.root] == found.posterior.max()


@given(draw_tree())
@settings(max_examples=60, deadline=None)
def test_it_is_a_tree_with_one_root(log_odds: LogOdds) -> None:
    found = orient(make_neighbours(log_odds), log_odds, 10)
    members = {place for link in log_odds for place in link}
    assert set(found.order) == members
    assert len(found.order) == len(members) == len(found.parents) + 1
    assert found.order[0] == found.root not in found.parents
    seen = {found.root}
    for member in found.order[1:]:
        assert found.parents[member] in seen, "parents come before children"
        link = (found.parents[member], member)
        assert link in log_odds or link[::-1] in log_odds
        seen.add(member)


@given(draw_tree())
@settings(max_examples=60, deadline=None)
def test_edges_seen_from_the_other_end_say_the_same(log_odds: LogOdds) -> None:
    turned = {(b, a): -value for (a, b), value in log_odds.items()}
    first = orient(make_neighbours(log_odds), log_odds, 10)
    second = orient(make_neighbours(turned), turned, 10)
    assert first.root == second.root
    np.testing.assert_allclose(first.posterior, second.posterior, rtol=1e-9)


def test_without_evidence_the_one_with_most_children_is_the_likeliest_root() -> None:
    """0 ── 1 ── 2"""
    links = {(0, 1): 0.0, (1, 2): 0.0}
    found = orient(make_neighbours(links), links, 3)
    middle = (3 / 2) ** CHILDREN_WEIGHT
    np.testing.assert_allclose(found.posterior, np.array([1, middle, 1]) / (2 + middle))
    assert found.root == 1


def test_a_pinned_root_is_the_root() -> None:
    links = {(0, 1): 50.0, (1, 2): 0.0}
    found = orient(make_neighbours(links), links, 3, pinned=2)
    assert (found.root, found.posterior.tolist()) == (2, [0, 0, 1])


def test_strong_evidence_outweighs_the_number_of_children() -> None:
    links = {(0, 1): 12.0, (1, 2): 12.0}
    found = orient(make_neighbours(links), links, 3)
    assert (found.root, dict(found.parents), found.order) == (0, {1: 0, 2: 1}, (0, 1, 2))
    assert found.posterior[0] > 0.99


def test_one_strong_edge_orients_its_neighbours() -> None:
    """0 → 1 is sure, 1 - 2 is not: the root is not likely to be 2."""
    links = {(0, 1): 16.0, (1, 2): 0.0}
    found = orient(make_neighbours(links), links, 3)
    assert found.posterior[1] + found.posterior[2] < 0.01
    assert found.calculate_certainty(2) > 0.99


def test_a_member_alone_is_its_root() -> None:
    found = orient({3: set()}, {}, 5)
    assert (found.root, dict(found.parents), found.order) == (3, {}, (3,))
    assert found.posterior.tolist() == [0, 0, 0, 1, 0]


def test_certainty_is_that_the_root_is_not_below() -> None:
    """0 ─┬─ 1 ── 3
    └─ 2
    """
    posterior = np.array([0.6, 0.1, 0.2, 0.1])
    found = Orientation(0, {1: 0, 2: 0, 3: 1}, (0, 1, 2, 3), posterior)
    assert found.calculate_certainty(1) == pytest.approx(0.8)
    assert found.calculate_certainty(2) == pytest.approx(0.8)
    assert found.calculate_certainty(3) == pytest.approx(0.9)
    assert found.calculate_certainty(0) == pytest.approx(0.0)


def test_pointing_hangs_the_same_tree_from_another_root() -> None:
    neighbours = make_neighbours({(0, 1): 0.0, (1, 2): 0.0})
    posterior = np.array([0.5, 0.25, 0.25])
    found = point(neighbours, 2, posterior)
    assert (found.root, dict(found.parents), found.order) == (2, {1: 2, 0: 1}, (2, 1, 0))
    assert found.posterior is posterior


def test_a_walk_goes_breadth_first() -> None:
    neighbours = make_neighbours({(5, 2): 0.0, (5, 9): 0.0, (2, 7): 0.0})
    order, parents = walk(neighbours, 5)
    assert (order, parents) == ([5, 2, 9, 7], {2: 5, 9: 5, 7: 2})
