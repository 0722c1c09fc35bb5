"""Shapes of trees."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from benchmarks.topologies import TOPOLOGIES, balanced


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_parents_are_born_before_their_children(name: str) -> None:
    for seed in range(20):
        parents = TOPOLOGIES[name](15, random.Random(seed))
        assert len(parents) == 14
        assert all(0 <= parent < child for child, parent in enumerate(parents, start=1))


def test_the_same_seed_gives_the_same_tree() -> None:
    for draw in TOPOLOGIES.values():
        assert draw(15, random.Random(3)) == draw(15, random.Random(3))


def test_chains_are_long_and_stars_wide() -> None:
    chain = TOPOLOGIES["chain"](20, random.Random(0))
    star = TOPOLOGIES["star"](20, random.Random(0))
    assert Counter(star)[0] > 12
    assert max(Counter(chain).values()) < 4


def test_balanced_is_one_four_sixteen() -> None:
    parents = balanced(4, 2)
    assert len(parents) == 20
    assert set(Counter(parents).values()) == {4}
    assert set(parents) == set(range(5))
