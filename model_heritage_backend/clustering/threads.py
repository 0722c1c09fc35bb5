"""One BLAS thread for many small products.

With its default of one thread per core, a product of a few thousand values that takes 0.2 ms took
20 ms on a busy machine: threads wait for each other. Everything the engine multiplies is small.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController

WORKERS = 2
"""Threads of our own, for what is spent in linear algebra of many pairs."""


@cache
def _find_pools() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[object]:
    """Within the block, linear algebra uses the calling thread alone."""
    limits: AbstractContextManager[object] = _find_pools().limit(limits=1, user_api="blas")
    return limits
