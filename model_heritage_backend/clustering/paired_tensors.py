"""Tensors that two models share, read side by side: those of one shape as one stack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import Samples, limit_values
from model_heritage_backend.clustering.kernels import compare_rows
from model_heritage_backend.weights.tensors import LazyTensor

WINDOW_VALUES = 2_621_440
"""Values of each model that are held in memory at once."""


class Shared:
    """A tensor of both models.

    Attributes
    ----------
    number : its place in the order in which tensors are looked at
    name, first, second : what it is called, and what it is in each of the two
    shape : rows and columns; of one with more rows the first ones count
    """

    def __init__(self, number: int, name: str, first: LazyTensor, second: LazyTensor) -> None:
        self.number = number
        self.name = name
        self.first = first
        self.second = second
        self.shape = min(first.row_count, second.row_count), first.row_size

    @property
    def size(self) -> int:
        return self.shape[0] * self.shape[1]


@dataclass(frozen=True)
class PairedMatrices:
    """Matrices of one shape.

    Attributes
    ----------
    numbers : places in the order in which they are looked at, (k,)
    names : in the same order
    size : values of each
    x, y : values of the two models as precise as they are stored, (k, rows, columns); of a matrix
        larger than WINDOW_VALUES alone, rows from its middle
    squares : squared norms of all rows, of the first, the second and their difference, (3, k, rows)
    changed, larger : values that differ, and those of larger magnitude in the second, (k,)
    """

    numbers: NDArray[np.int64]
    names: tuple[str, ...]
    size: int
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    squares: Samples
    changed: NDArray[np.int64]
    larger: NDArray[np.int64]

    @classmethod
    def read(cls, shared: Sequence[Shared]) -> PairedMatrices:
        """Tensors of one shape, whose values fit into memory, or a single one."""
        rows, columns = shared[0].shape
        block = max(1, WINDOW_VALUES // columns)
        squares = np.zeros((3, len(shared), rows))
        counts = np.zeros((2, len(shared)), np.int64)
        x: NDArray[np.floating] = np.zeros((len(shared), 0, columns))
        y = x
        for start in range(0, rows, block):
            stop = min(start + block, rows)
            first, second = _read_rows(shared, start, stop)
            squares[:, :, start:stop], added = compare_rows(first, second)
            counts += added
            if start <= rows // 2 < stop:
                x, y = first, second
        numbers = np.array([tensor.number for tensor in shared])
        names = tuple(tensor.name for tensor in shared)
        return cls(numbers, names, rows * columns, x, y, squares, *counts)

    @cached_property
    def mean_squares(self) -> Samples:
        """Of the values of both models, (k,)."""
        # One axis at a time: a stack of one would be summed up in another order.
        a, b = self.squares[:2].sum(2)
        means: Samples = (a + b) / 2 / self.size
        return means

    def find(self, numbers: Set[int]) -> NDArray[np.int64]:
        """Where in the stack those of these numbers are that are in it, in the stack's order."""
        # Mostly of a few: a search through arrays takes longer to begin.
        places = [place for place, n in enumerate(self.numbers.tolist()) if n in numbers]
        return np.array(places, np.int64)


def read_vectors(shared: Sequence[Shared]) -> tuple[Samples, Samples]:
    """Of tensors of one shape the values of both models, (k, values)."""
    first, second = _read_rows(shared, 0, shared[0].shape[0])
    shape = len(shared), -1
    return first.reshape(shape).astype(np.float64), second.reshape(shape).astype(np.float64)


def group_by_shape(shared: Sequence[Shared]) -> list[list[Shared]]:
    groups = defaultdict(list)
    for tensor in shared:
        groups[tensor.shape].append(tensor)
    return list(groups.values())


def take_portions(shared: Sequence[Shared]) -> Iterator[list[Shared]]:
    """Consecutive tensors that fit into memory together; larger ones come alone."""
    portion: list[Shared] = []
    values = 0
    for tensor in shared:
        if portion and values + tensor.size > WINDOW_VALUES:
            yield portion
            portion, values = [], 0
        portion.append(tensor)
        values += tensor.size
    if portion:
        yield portion


def _read_rows(
    shared: Sequence[Shared], start: int, stop: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    first = _stack([tensor.first.read_rows(start, stop) for tensor in shared])
    second = _stack([tensor.second.read_rows(start, stop) for tensor in shared])
    return first, second


def _stack(parts: Sequence[NDArray[np.floating]]) -> NDArray[np.floating]:
    """As ``limit_values``; most files hold only ordinary numbers, which a sum shows."""
    double = any(part.dtype == np.float64 for part in parts)
    stack = np.empty((len(parts), *parts[0].shape), np.float64 if double else np.float32)
    for place, part in enumerate(parts):
        stack[place] = part
    if double or not np.isfinite(stack.sum(dtype=np.float64)):
        for place, part in enumerate(parts):
            stack[place] = limit_values(part)
    return stack
