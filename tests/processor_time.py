"""Bounds of processor time that mean the same on machines of any speed."""

from __future__ import annotations

import time

USUAL = 0.015
"""Seconds of ``_work`` on the machines that bounds were set on, reckoned from a machine of a
fifth of their speed."""


def spent_less(seconds: float, *, since: float) -> bool:
    """Whether the process took less of the processor since ``time.process_time()`` was ``since``.

    Where the machine is slower than usual just now, as many times as long is allowed.
    """
    taken = time.process_time() - since
    return taken < seconds or taken < seconds * _measure_slowness()


def _measure_slowness() -> float:
    start = time.process_time()
    _work()
    return (time.process_time() - start) / USUAL


def _work() -> int:
    return sum(i * i for i in range(200_000))
