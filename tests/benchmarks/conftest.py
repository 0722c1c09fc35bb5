"""Training in these tests is done as zoos do it: on one thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.zoo import one_thread


@pytest.fixture(autouse=True)
def single_thread() -> Iterator[None]:
    """Several threads are slower here by far when the machine is busy."""
    with one_thread():
        yield
