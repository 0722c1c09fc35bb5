"""Results in order, and no more work than asked for."""

from __future__ import annotations

import itertools
import time

import numpy as np

from model_heritage_backend.clustering.threads import (
    HALVED_FROM,
    WORKERS,
    halving,
    map_ahead,
    run_beside,
)


def test_results_come_in_order() -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3 == 0))
        return number * number

    for threads in (False, True):
        found = list(map_ahead(work, range(20), threads=threads))
        assert found == [number * number for number in range(20)]


def test_nothing_new_is_begun_when_nobody_asks() -> None:
    begun: list[int] = []
    found = map_ahead(begun.append, itertools.count(), threads=True)
    next(found)
    found.close()
    assert 1 <= len(begun) <= WORKERS + 1


def test_halves_are_put_together_again() -> None:
    stack = np.random.default_rng(0).standard_normal((HALVED_FROM + 1, 3))
    for threads in (False, True):
        with halving(np.square, threads=threads) as square:
            for part in (stack, stack[:1], stack):
                np.testing.assert_array_equal(square(part), part**2)


def test_both_results_come_back() -> None:
    for threads in (False, True):
        assert run_beside(lambda: "first", lambda: 2, threads=threads) == ("first", 2)
