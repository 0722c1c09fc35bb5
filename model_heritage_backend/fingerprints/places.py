"""Which values of a tensor are sampled, and what quantised ones were rounded from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.kernels import gather_sample
from model_heritage_backend.fingerprints.sampling import (
    COLUMN_SALT,
    ROW_SALT,
    WIDE_SIZE,
    select_indices,
)
from model_heritage_backend.weights.tensors import LazyTensor

VECTOR_SAMPLE = 256
"""Values kept of a tensor with one dimension."""


def find_places(
    tensor: LazyTensor, rows: int, columns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if len(tensor.shape) >= 2:
        places = select_indices(tensor.row_count, rows, ROW_SALT)
        return places, select_indices(tensor.row_size, columns, COLUMN_SALT)
    places = select_indices(tensor.row_count, VECTOR_SAMPLE, ROW_SALT)
    return places, select_indices(1, 1, COLUMN_SALT)


def find_wide_places(
    tensor: LazyTensor, wide_size: int, most_rows: int = WIDE_SIZE
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if wide_size == 0:
        return select_indices(0, 0, ROW_SALT), select_indices(0, 0, COLUMN_SALT)
    return find_places(tensor, min(wide_size, most_rows), wide_size)


def make_cells(
    tensor: LazyTensor, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float32]:
    known = tensor.quantisation is not None
    return np.zeros((2, rows.size, columns.size) if known else (2, 0, 0), np.float32)


def gather_cells(
    tensor: LazyTensor,
    start: int,
    stop: int,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    cells: NDArray[np.float32],
) -> None:
    """What the sampled values ``start:stop`` of a quantised tensor were rounded from."""
    size = tensor.row_size
    for row in rows[np.searchsorted(rows, start // size) :]:
        first, last = max(start, int(row) * size), min(stop, (int(row) + 1) * size)
        if first >= last:
            break
        for side, ends in zip(cells, tensor.read_cells(first, last), strict=True):
            gather_sample(ends, first, size, rows, columns, side)
