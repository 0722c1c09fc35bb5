"""Angles between steps: what they say of siblings, and that both ways of summing up agree."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering.drift import (
    ACUTE,
    NEIGHBOURS_HEARD,
    OBTUSE,
    StepAngles,
    calculate_drift_odds,
    judge_cosine,
    score_drift,
)
from model_heritage_backend.clustering.orientation import walk
from model_heritage_backend.clustering.skeleton import Neighbours
from tests.clustering.families import align, find_matrices, find_places, make_model
from tests.clustering.models import add_noise

BASE = make_model(1)


class FixedAngles(StepAngles):
    """Angles that are known beforehand: a cosine for each member and pair of its neighbours."""

    def __init__(self, cosines: dict[tuple[int, int, int], float]) -> None:
        super().__init__(align({"base": BASE}))
        self.cosines = cosines

    def learn(self, corners: object) -> None:
        """Nothing is measured."""

    def measure(self, member: int, first: int, second: int) -> float:
        return self.cosines.get((member, min(first, second), max(first, second)), math.nan)


def test_cosines_are_means_over_matrices() -> None:
    """Weighted by size, each matrix with a unit step of its own."""
    models = {"a": BASE, "b": add_noise(BASE, share=0.3, seed=1)}
    models["c"] = add_noise(add_noise(BASE, share=0.1, seed=2), share=0.2, seed=1)
    family = align(models)
    places = find_places(family)
    angles = StepAngles(family)
    found = angles.measure(places["a"], places["b"], places["c"])
    a, b, c = (find_matrices(models[name]) for name in "abc")
    cosines, sizes = [], []
    for name, matrix in a.items():
        to_b, to_c = b[name] - matrix, c[name] - matrix
        cosines.append((to_b * to_c).sum() / np.sqrt((to_b**2).sum() * (to_c**2).sum()))
        sizes.append(matrix.size)
    assert found == pytest.approx(np.average(cosines, weights=sizes))
    assert angles.measure(places["a"], places["c"], places["b"]) == found


def test_steps_without_a_common_matrix_have_no_angle() -> None:
    """Nothing changed in one of them, or other matrices did."""
    names = sorted(find_matrices(BASE))
    first, last = add_noise(BASE, share=0.1, seed=1), add_noise(BASE, share=0.1, seed=2)
    first[names[0]], last[names[1]] = BASE[names[0]], BASE[names[1]]
    for name in names[1:]:
        first[name] = BASE[name]
    for name in names[2:]:
        last[name] = BASE[name]
    first[names[1]] = first[names[1]] + 1
    family = align({"a": BASE, "b": first, "c": last, "d": {"other": np.ones((9, 9))}})
    places = find_places(family)
    angles = StepAngles(family)
    assert math.isnan(angles.measure(places["a"], places["b"], places["c"]))
    assert math.isnan(angles.measure(places["a"], places["b"], places["d"]))


def test_an_angle_is_the_same_whatever_others_are_asked_for() -> None:
    """To the last bit, and what is known is not measured again."""
    models = {n: add_noise(BASE, share=0.1, seed=s) for s, n in enumerate("abcde")}
    family = align(models)
    corners = [(a, b, c) for a in range(5) for b, c in itertools.combinations(range(5), 2)]
    corners = [corner for corner in corners if corner[0] not in corner[1:]]
    known: dict[Hashable, float] = {}
    together = StepAngles(family, known)
    together.learn(corners)
    assert len(known) == len(corners)
    for corner in corners:
        assert StepAngles(family).measure(*corner) == together.measure(*corner)
    known |= dict.fromkeys(known, 0.25)
    assert StepAngles(family, known).measure(*corners[0]) == 0.25


def test_an_acute_angle_is_that_of_siblings() -> None:
    assert judge_cosine(0.0) == judge_cosine(math.nan) == 0.0
    assert judge_cosine(1.0) == pytest.approx(ACUTE, abs=0.001)
    assert judge_cosine(-1.0) == pytest.approx(-OBTUSE, abs=0.001)
    assert judge_cosine(-0.1) < -1 < 0.5 < judge_cosine(0.1)


def test_angles_point_out_the_parent() -> None:
    """1 sees 0 and 2 at an acute angle: both are its children. An obtuse one: a chain."""
    neighbours: Neighbours = {0: {1}, 1: {0, 2}, 2: {1}}
    acute = calculate_drift_odds(neighbours, FixedAngles({(1, 0, 2): 0.4}))
    assert acute[0, 1] < -0.5 < 0.5 < acute[1, 2]
    obtuse = calculate_drift_odds(neighbours, FixedAngles({(1, 0, 2): -0.4}))
    assert obtuse[0, 1] > 0.5 > -0.5 > obtuse[1, 2], "one of the ends is the root"


def test_copies_and_merges_say_nothing() -> None:
    neighbours: Neighbours = {0: {1}, 1: {0, 2}, 2: {1}}
    angles = FixedAngles({(1, 0, 2): 0.4})
    for deaf in ({(1, 0)}, {(0, 1)}):
        assert set(calculate_drift_odds(neighbours, angles, deaf=deaf).values()) == {0.0}
        assert score_drift({0: 1, 2: 1}, angles, deaf=deaf) == 0.0


@st.composite
def draw_tree(draw: st.DrawFn) -> tuple[Neighbours, FixedAngles]:
    size = draw(st.integers(2, 8))
    neighbours: Neighbours = {member: set() for member in range(size)}
    for member in range(1, size):
        other = draw(st.integers(0, member - 1))
        neighbours[member].add(other)
        neighbours[other].add(member)
    cosines = {
        (member, a, b): draw(st.floats(-1, 1))
        for member, others in neighbours.items()
        for a, b in itertools.combinations(sorted(others), 2)
    }
    return neighbours, FixedAngles(cosines)


@given(draw_tree())
@settings(max_examples=60, deadline=None)
def test_odds_of_edges_sum_up_to_the_score_of_a_tree(
    drawn: tuple[Neighbours, FixedAngles],
) -> None:
    """Of any root, but for a constant."""
    neighbours, angles = drawn
    odds = calculate_drift_odds(neighbours, angles)
    both = odds | {(b, a): -value for (a, b), value in odds.items()}
    gaps = []
    for root in neighbours:
        _, parents = walk(neighbours, root)
        summed = sum(both[parent, child] for child, parent in parents.items())
        gaps.append(summed - score_drift(parents, angles))
    assert gaps == pytest.approx([gaps[0]] * len(gaps))


def test_only_so_many_neighbours_are_heard() -> None:
    """A hub of hundreds would ask for all pairs of them."""
    size = NEIGHBOURS_HEARD + 10
    neighbours: Neighbours = {0: set(range(1, size)), **{m: {0} for m in range(1, size)}}
    cosines = {(0, a, b): 0.5 for a, b in itertools.combinations(range(1, size), 2)}
    odds = calculate_drift_odds(neighbours, FixedAngles(cosines))
    assert sum(value != 0.0 for value in odds.values()) == NEIGHBOURS_HEARD
