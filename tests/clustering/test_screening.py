"""Which pairs are near enough for a closer look."""

from __future__ import annotations

import numpy as np

from model_heritage_backend.clustering.screening import list_nearest


def test_each_member_comes_with_its_nearest() -> None:
    """0 ─ 1 ── 2 ───── 3 on a line; 4 takes no part."""
    places = np.array([0.0, 1.0, 3.0, 8.0, 0.5])
    nearness = -np.abs(places[:, None] - places)
    assert list_nearest(nearness, [0, 1, 2, 3], 1) == {(0, 1), (1, 2), (2, 3)}
    assert len(list_nearest(nearness, [0, 1, 2, 3], 9)) == 6


def test_ties_go_to_those_that_come_first() -> None:
    assert list_nearest(np.zeros((4, 4)), range(4), 1) == {(0, 1), (0, 2), (0, 3)}


def test_pairs_can_be_passed_over() -> None:
    nearness = np.array([[0.0, -np.inf, 1.0], [-np.inf, 0.0, -np.inf], [1.0, -np.inf, 0.0]])
    assert list_nearest(nearness, range(3), 2) == {(0, 2)}
