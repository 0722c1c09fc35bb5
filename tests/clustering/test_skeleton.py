"""The undirected tree: greatest gains, copies at their sources, merges in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from model_heritage_backend.clustering.copies import Copy
from model_heritage_backend.clustering.genealogy import Relation
from model_heritage_backend.clustering.merges import Merge
from model_heritage_backend.clustering.skeleton import (
    Neighbours,
    build_skeleton,
    prefer_sources,
)

PRUNED = Copy(Relation.PRUNED)
Gains = NDArray[np.float64]


def make_gains(size: int, pairs: Mapping[tuple[int, int], float]) -> Gains:
    gains = np.zeros((size, size))
    for (a, b), gain in pairs.items():
        gains[a, b] = gains[b, a] = gain
    return gains


def build(
    gains: Gains,
    members: Sequence[int],
    copies: Mapping[tuple[int, int], Copy] | None = None,
    merges: Mapping[int, Merge] | None = None,
) -> Neighbours:
    """Where everyone is as far from everyone as can be: nobody lies between others."""
    distances = 1.0 - np.eye(len(gains))
    return build_skeleton(gains, distances, members, copies or {}, merges or {})


def list_links(neighbours: Neighbours) -> set[tuple[int, int]]:
    for member, others in neighbours.items():
        assert all(member in neighbours[other] for other in others), "links go both ways"
    return {(a, b) for a, others in neighbours.items() for b in others if a < b}


def merge(child: int, first: int, second: int, share: float = 0.5) -> Merge:
    return Merge(child=child, parents=(first, second), coefficients=(share, 1 - share))


def test_the_greatest_gains_that_make_a_tree() -> None:
    """0 ── 1 ── 2 and 1 ── 3; the gain of 0 - 2 would close a circle."""
    gains = make_gains(4, {(0, 1): 9, (1, 2): 8, (0, 2): 7, (1, 3): 3, (2, 3): 2, (0, 3): 1})
    assert list_links(build(gains, range(4))) == {(0, 1), (1, 2), (1, 3)}


def test_only_members_take_part() -> None:
    gains = make_gains(4, {(0, 1): 9, (1, 2): 8, (0, 2): 7, (1, 3): 3, (2, 3): 2})
    assert list_links(build(gains, [0, 2, 3])) == {(0, 2), (2, 3)}
    assert build(gains, [2]) == {2: set()}


def test_ties_go_to_the_member_that_comes_first() -> None:
    gains = make_gains(4, {(a, b): 1.0 for a in range(4) for b in range(a)})
    assert list_links(build(gains, range(4))) == {(0, 1), (0, 2), (0, 3)}


@st.composite
def draw_gains(draw: st.DrawFn) -> Gains:
    size = draw(st.integers(2, 9))
    values = st.integers(0, 20).map(float)
    return make_gains(size, {(a, b): draw(values) for a in range(size) for b in range(a)})


@given(draw_gains())
@settings(max_examples=60, deadline=None)
def test_it_is_a_maximum_spanning_tree(gains: Gains) -> None:
    """The same total gain as networkx's."""
    links = list_links(build(gains, range(len(gains))))
    graph = nx.Graph(links)
    assert nx.is_tree(graph)
    assert len(graph) == len(gains)
    complete: nx.Graph[int] = nx.Graph()
    complete.add_weighted_edges_from(
        (a, b, gains[a, b]) for a in range(len(gains)) for b in range(a)
    )
    best = nx.maximum_spanning_tree(complete).size(weight="weight")
    assert sum(gains[a, b] for a, b in links) == pytest.approx(best)


@given(draw_gains(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_tree_belongs_to_the_gains_not_to_the_numbers(gains: Gains, random: Random) -> None:
    """Members numbered otherwise are linked likewise, where no ties leave a choice."""
    size = len(gains)
    upper = np.triu_indices(size, 1)
    distinct = np.zeros_like(gains)
    distinct[upper] = gains[upper] + 0.001 * np.arange(len(upper[0]))
    distinct += distinct.T
    order = list(range(size))
    random.shuffle(order)
    plain = list_links(build(distinct, range(size)))
    moved = list_links(build(distinct[np.ix_(order, order)], range(size)))
    back = {(min(order[a], order[b]), max(order[a], order[b])) for a, b in moved}
    assert back == plain


def test_a_merge_hangs_from_its_main_parent() -> None:
    """0 ─┬─ 1 ── 3 = 0.7 of 1 + 0.3 of 2
    └─ 2              its gains to both would have put it between them
    """
    gains = make_gains(4, {(0, 1): 5, (0, 2): 5, (1, 2): 1, (1, 3): 9, (2, 3): 8, (0, 3): 4})
    plain = build(gains, range(4))
    assert list_links(plain) == {(1, 3), (2, 3), (0, 1)}
    assert list_links(build(gains, range(4), {}, {3: merge(3, 1, 2, 0.7)})) == {
        (0, 1),
        (0, 2),
        (1, 3),
    }
    other = build(gains, range(4), {}, {3: merge(3, 1, 2, 0.3)})
    assert (2, 3) in list_links(other)


def test_the_children_of_a_merge_come_along() -> None:
    r"""Without the merge 3 its child 4 hung from 1; the path between the parents stays.

    0 ─┬─ 1 ── 3 ── 4 ── 5
       └─ 2
    """
    gains = make_gains(
        6,
        {(0, 1): 5, (0, 2): 5, (1, 3): 9, (2, 3): 8, (0, 3): 7, (1, 4): 4, (3, 4): 6, (4, 5): 9}
        | {(1, 5): 3, (3, 5): 5},
    )
    links = list_links(build(gains, range(6), {}, {3: merge(3, 1, 2, 0.6)}))
    assert links == {(0, 1), (0, 2), (1, 3), (3, 4), (4, 5)}


def place(points: Mapping[int, tuple[float, ...]]) -> Gains:
    """Squared distances of points, by member."""
    positions = np.array([points[member] for member in range(len(points))])
    squares: Gains = ((positions[:, None] - positions[None]) ** 2).sum(2)
    return squares


def test_what_was_trained_on_from_a_merge_does_not_tie_its_parents_together() -> None:
    r"""4 and 5 lie between 1 and 2 as their ancestor 3 does, and are nearer to both than 0 is.

    0 ─┬─ 1 ── 3 ── 4 ── 5
       └─ 2
    """
    distances = place(
        {
            0: (0, 0, 0, 0),
            1: (1, 0, 0, 0),
            2: (0, 1, 0, 0),
            3: (0.6, 0.4, 0, 0),
            4: (0.6, 0.4, 0.1, 0),
            5: (0.6, 0.4, 0.1, 0.2),
        }
    )
    gains = -np.log(distances + np.eye(6)) * (1 - np.eye(6))
    links = list_links(build_skeleton(gains, distances, range(6), {}, {3: merge(3, 1, 2, 0.6)}))
    assert links == {(0, 1), (0, 2), (1, 3), (3, 4), (4, 5)}


def test_copies_stay_with_their_sources() -> None:
    """The copy 4 of model 1 gains more from the merge, but it was made from 1."""
    gains = make_gains(5, {(0, 1): 5, (0, 2): 5, (1, 3): 9, (2, 3): 8, (1, 4): 4, (3, 4): 6})
    merges = {3: merge(3, 1, 2, 0.6)}
    assert (3, 4) in list_links(build(gains, range(5), {}, merges))
    for copies in ({(1, 4): PRUNED}, {(4, 1): PRUNED}):
        assert (1, 4) in list_links(build(gains, range(5), copies, merges))


def test_a_merge_of_merges() -> None:
    """4 = 3 + 0, 3 = 1 + 2: the first merge is put in place before the second."""
    gains = make_gains(5, {(0, 1): 5, (0, 2): 4, (1, 2): 1, (1, 3): 9, (0, 3): 2, (3, 4): 9})
    merges = {4: merge(4, 3, 0, 0.8), 3: merge(3, 1, 2, 0.8)}
    links = list_links(build(gains, range(5), {}, merges))
    assert links == {(0, 1), (0, 2), (1, 3), (3, 4)}


def test_merges_that_name_each_other_still_make_a_tree() -> None:
    """Three points on a line, each in turn between two others that wait for it."""
    gains = make_gains(4, {(a, b): a + b for a in range(4) for b in range(a)})
    merges = {1: merge(1, 2, 0), 2: merge(2, 1, 3), 3: merge(3, 2, 1)}
    links = list_links(build(gains, range(4), {}, merges))
    graph = nx.Graph(links)
    assert nx.is_tree(graph)
    assert len(graph) == 4


@given(draw_gains(), st.data())
@settings(max_examples=60, deadline=None)
def test_with_merges_and_copies_it_is_still_a_tree(gains: Gains, data: st.DataObject) -> None:
    size = len(gains)
    numbers = st.integers(0, size - 1)
    trios = data.draw(
        st.lists(st.tuples(numbers, numbers, numbers, st.floats(0.1, 0.9)), max_size=3)
    )
    merges = {c: merge(c, a, b, s) for c, a, b, s in trios if len({a, b, c}) == 3}
    pairs = data.draw(st.lists(st.tuples(numbers, numbers), max_size=3))
    copies = {(a, b): PRUNED for a, b in pairs if a != b}
    adjusted = prefer_sources(gains, copies, 50.0)
    neighbours = build(adjusted, range(size), copies, merges)
    graph = nx.Graph(list_links(neighbours))
    graph.add_nodes_from(neighbours)
    assert set(graph) == set(range(size))
    assert nx.is_tree(graph)


def test_copies_get_the_full_gain() -> None:
    gains = make_gains(3, {(0, 1): 5, (0, 2): 7, (1, 2): 1})
    adjusted = prefer_sources(gains, {(0, 1): PRUNED}, 100.0)
    assert adjusted[0, 1] == adjusted[1, 0] == 100.0
    assert gains[0, 1] == 5, "arguments are not changed"


@pytest.mark.parametrize(
    ("to_source", "to_copy", "expected"),
    [
        (50, 40, 40),  # the source was nearer already
        (50, 50, 49),
        (50, 59.9, 49),  # a near tie goes to the source
        (50, 60, 60),  # trained from the copy: ten nats are no accident
    ],
)
def test_near_ties_go_to_the_source(to_source: float, to_copy: float, expected: float) -> None:
    """0 is the source, 1 its copy, 2 a third model."""
    gains = make_gains(3, {(0, 1): 90, (0, 2): to_source, (1, 2): to_copy})
    adjusted = prefer_sources(gains, {(0, 1): PRUNED}, 100.0)
    assert adjusted[1, 2] == adjusted[2, 1] == expected
    assert adjusted[0, 2] == to_source
    np.testing.assert_array_equal(adjusted, adjusted.T)


def test_copies_of_copies_keep_their_gain() -> None:
    """0 ── 1 ── 2, each a copy of the one before and 2 of 0 as well."""
    copies = {(0, 1): PRUNED, (1, 2): PRUNED, (0, 2): PRUNED}
    adjusted = prefer_sources(make_gains(3, {(0, 1): 9, (1, 2): 9, (0, 2): 5}), copies, 10.0)
    assert adjusted[0, 1] == adjusted[1, 2] == adjusted[0, 2] == 10.0
