"""One BLAS thread for many small products.

With its default of one thread per core, a product of a few thousand values that takes 0.2 ms took
20 ms on a busy machine: threads wait for each other. Everything the engine multiplies is small.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Found = TypeVar("Found")

WORKERS = 2
"""Threads of our own, for what is spent in linear algebra of many pairs."""


@cache
def _find_pools() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[object]:
    """Within the block, linear algebra uses the calling thread alone."""
    limits: AbstractContextManager[object] = _find_pools().limit(limits=1, user_api="blas")
    return limits


def map_ahead(function: Callable[[Item], Found], items: Iterable[Item]) -> Iterator[Found]:
    """Results in the items' order, a few worked out ahead by threads of our own.

    Of work that is mostly done outside of Python. Unlike ``Executor.map``, it holds few results in
    memory, and begins nothing new once nobody asks for more.
    """
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting: deque[Future[Found]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
