"""Results in order, and no more work than asked for."""

from __future__ import annotations

import itertools
import time

from model_heritage_backend.clustering.threads import WORKERS, map_ahead


def test_results_come_in_order() -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3 == 0))
        return number * number

    assert list(map_ahead(work, range(20))) == [number * number for number in range(20)]


def test_nothing_new_is_begun_when_nobody_asks() -> None:
    begun: list[int] = []
    found = map_ahead(begun.append, itertools.count())
    next(found)
    found.close()
    assert 1 <= len(begun) <= WORKERS + 1
