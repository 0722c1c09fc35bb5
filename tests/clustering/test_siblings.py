"""Siblings strung up in a chain: the repair. What tells them from a true chain: whitening."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from model_heritage_backend.clustering.orientation import Orientation
from model_heritage_backend.clustering.siblings import are_siblings, find_siblings

CHAIN, SIBLINGS = False, True


def repair(
    parents: Mapping[int, int],
    judge: Callable[[int, int, int], bool],
    *,
    fixed: tuple[int, ...] = (),
) -> dict[int, int]:
    """Members are numbered such that parents come before children, from the root 0."""
    size = len(parents) + 1
    orientation = Orientation(0, parents, tuple(range(size)), np.eye(size)[0])
    return find_siblings(orientation, judge, fixed=fixed)


def test_siblings_by_tau() -> None:
    """Around 1 it is a chain; no evidence is none for siblings."""
    found = {tau: are_siblings(tau) for tau in (-0.5, 0.0, 0.7, 0.8, 1.0, 1.5, 2.0, 9.0)}
    assert [tau for tau, siblings in found.items() if siblings] == [-0.5, 0.0, 0.7, 2.0, 9.0]
    assert not are_siblings(None)


def test_a_sibling_moves_to_its_grandparent() -> None:
    """0 ── 1 ─┬─ 2      becomes    0 ─┬─ 1 ── 3
    └─ 3                    └─ 2
    """

    def judge(a: int, b: int, c: int) -> bool:
        assert (a, b) == (0, 1)
        return SIBLINGS if c == 2 else CHAIN

    assert repair({1: 0, 2: 1, 3: 1}, judge) == {1: 0, 2: 0, 3: 1}


def test_the_repair_goes_down_the_line() -> None:
    """0 ── 1 ── 2 ── 3, all of them siblings: each is asked about its new parent's parent."""
    asked = []

    def judge(a: int, b: int, c: int) -> bool:
        asked.append((a, b, c))
        return SIBLINGS

    assert repair({1: 0, 2: 1, 3: 2}, judge) == {1: 0, 2: 0, 3: 0}
    assert asked == [(0, 1, 2), (0, 2, 3)]


def test_a_chain_stays_as_it_is() -> None:
    parents = {1: 0, 2: 1, 3: 2}
    assert repair(parents, lambda *_: CHAIN) == parents


def test_proven_members_stay() -> None:
    """Neither a copy or merge, nor the child of one, is moved."""
    parents = {1: 0, 2: 1, 3: 2}
    assert repair(parents, lambda *_: SIBLINGS, fixed=(2,)) == parents
    assert repair(parents, lambda *_: SIBLINGS, fixed=(1,)) == {1: 0, 2: 1, 3: 1}


def test_without_evidence_nobody_is_a_sibling() -> None:
    assert are_siblings(0.3)
    assert not are_siblings(0.9)
    assert not are_siblings(None)
