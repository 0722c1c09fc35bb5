"""One BLAS thread for many small products.

With its default of one thread per core, a product of a few thousand values that takes 0.2 ms took
20 ms on a busy machine: threads wait for each other. Everything the engine multiplies is small.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Found = TypeVar("Found")
Other = TypeVar("Other")
OfStack = Callable[[NDArray[np.float64]], NDArray[np.float64]]

WORKERS = 2
"""Threads of our own, for what is spent in linear algebra of many pairs."""
THREADS_FROM = 100
"""Members of a family that is worth them."""
HALVED_FROM = 8
"""Matrices whose decomposition takes longer than it takes to wake a thread."""


_SINGLE = [False]


def stay_single() -> None:
    """No threads of our own in this process from now on: as many processes as there are cores share
    the work."""
    _SINGLE[0] = True


@cache
def _find_pools() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[object]:
    """Within the block, linear algebra uses the calling thread alone."""
    limits: AbstractContextManager[object] = _find_pools().limit(limits=1, user_api="blas")
    return limits


def is_worth_threads(members: int) -> bool:
    """Of a small family each piece of work is so short that threads would wait for each other."""
    return members >= THREADS_FROM


def run_beside(
    first: Callable[[], Found], second: Callable[[], Other], *, threads: bool
) -> tuple[Found, Other]:
    """Both results, the first worked out by a thread of its own if ``threads``."""
    if not threads or _SINGLE[0]:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(first)
        found = second()
        return waiting.result(), found


@contextmanager
def halving(function: OfStack, *, threads: bool) -> Iterator[OfStack]:
    """``function`` of stacks, of which it takes each item alone: two halves at once, one by a
    thread that lives as long as the block. ``threads``: otherwise, it stays as it is.
    """
    if not threads or _SINGLE[0]:
        yield function
        return
    with ThreadPoolExecutor(1) as pool:

        def apply(stack: NDArray[np.float64]) -> NDArray[np.float64]:
            if len(stack) < HALVED_FROM:
                return function(stack)
            middle = len(stack) // 2
            waiting = pool.submit(function, stack[:middle])
            second = function(stack[middle:])
            return np.concatenate([waiting.result(), second])

        yield apply


def map_ahead(
    function: Callable[[Item], Found], items: Iterable[Item], *, threads: bool
) -> Iterator[Found]:
    """Results in the items' order, a few worked out ahead by threads of our own.

    Of work that is mostly done outside of Python. Unlike ``Executor.map``, it holds few results in
    memory, and begins nothing new once nobody asks for more.

    ``threads``: otherwise, the calling thread does it all, piece by piece.
    """
    if not threads or _SINGLE[0]:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting: deque[Future[Found]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
