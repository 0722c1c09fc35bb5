"""Results in order, and no more work than asked for."""

from __future__ import annotations

import itertools
import time

from model_heritage_backend.clustering.threads import THREADS_FROM, WORKERS, map_ahead


def test_results_come_in_order() -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3 == 0))
        return number * number

    for members in (1, THREADS_FROM):
        found = list(map_ahead(work, range(20), members=members))
        assert found == [number * number for number in range(20)]


def test_nothing_new_is_begun_when_nobody_asks() -> None:
    begun: list[int] = []
    found = map_ahead(begun.append, itertools.count(), members=THREADS_FROM)
    next(found)
    found.close()
    assert 1 <= len(begun) <= WORKERS + 1
