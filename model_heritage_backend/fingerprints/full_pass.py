"""One pass over all values of a tensor, on two processors."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.kernels import (
    PIECE,
    add_row_statistics,
    expand_bfloat16,
    fits_bfloat16,
    fits_float16,
    gather_sample,
)
from model_heritage_backend.fingerprints.lanes import add_single_rows
from model_heritage_backend.fingerprints.moments import RunningMoments
from model_heritage_backend.fingerprints.places import (
    find_places,
    find_wide_places,
    gather_cells,
    make_cells,
)
from model_heritage_backend.fingerprints.summary import Facts, describe_tensor
from model_heritage_backend.weights.tensors import DOUBLE, DType, LazyTensor, decode

READ_VALUES = 8 * PIECE

Progress = Callable[[int], None]


class Reading:
    """What one full pass gathers of a tensor. Its pieces come in order, and are first decoded, then
    summed up: both at once, of two pieces, on two processors."""

    def __init__(self, tensor: LazyTensor, name: str, sample_size: int, wide_size: int) -> None:
        self._tensor, self._name = tensor, name
        self._is_double = tensor.dtype in DOUBLE
        self._is_matrix = len(tensor.shape) >= 2
        self._rows, self._columns = find_places(tensor, sample_size, sample_size)
        floating = np.float64 if self._is_double else np.float32
        self._sample = np.zeros((self._rows.size, self._columns.size), floating)
        self._wide_rows, self._wide_columns = find_wide_places(tensor, wide_size)
        self._wide = np.zeros((self._wide_rows.size, self._wide_columns.size), floating)
        self._norms = np.zeros(tensor.row_count if self._is_matrix else 0)
        self._absmax = np.zeros(self._norms.size)
        self._stored = xxhash.xxh3_128()
        self._narrow, self._double = xxhash.xxh3_128(), xxhash.xxh3_128()
        self._moments = RunningMoments()
        self._cells = make_cells(tensor, self._rows, self._columns)
        expanded = min(tensor.size, READ_VALUES) if tensor.dtype is DType.BF16 else 0
        self._bits, self._spare_bits = np.empty((2, expanded), np.uint32)
        self._bf16 = self._fp16 = self._exact32 = True

    @property
    def reads_besides(self) -> bool:
        """Whether a piece makes further readings of the file."""
        return self._cells.size > 0

    def add(self, start: int, values: NDArray[np.floating]) -> None:
        """Sum up what ``decode`` gave of the values from the ``start``-th on."""
        size = self._tensor.row_size
        gather_sample(values, start, size, self._rows, self._columns, self._sample)
        gather_sample(values, start, size, self._wide_rows, self._wide_columns, self._wide)
        if self._cells.size:
            stop = start + values.size
            gather_cells(self._tensor, start, stop, self._rows, self._columns, self._cells)
        add_rows = add_single_rows if values.dtype == np.float32 else add_row_statistics
        for first in range(0, values.size, PIECE):
            piece = values[first : first + PIECE]
            self._moments.add(piece)
            if self._is_matrix:
                add_rows(piece, start + first, size, self._norms, self._absmax)

    def decode(self, raw: NDArray[np.generic]) -> NDArray[np.floating]:
        """The numbers of the next raw values, in float32 as long as that is exact.

        Valid as long as ``raw``, and until the next call but one.
        """
        self._stored.update(raw.data)
        dtype = self._tensor.dtype
        if dtype is DType.BF16:
            self._bits, self._spare_bits = self._spare_bits, self._bits
            expand_bfloat16(raw.view(np.uint16), self._bits)
            values: NDArray[np.floating] = self._bits[: raw.size].view(np.float32)
        elif dtype is DType.F32:
            values = raw.view(np.float32)
        else:
            values = decode(raw, dtype)
        if self._exact32 and self._is_double:
            with np.errstate(over="ignore"):
                self._exact32 = np.array_equal(values, values.astype(np.float32), equal_nan=True)
        # Loops are compiled for each kind of array: these are read-only, whatever the file gave.
        values = values.astype(np.float32, copy=False) if self._exact32 else values
        values = values.view()
        values.flags.writeable = False
        if self._exact32:
            if dtype is not DType.F32:
                self._narrow.update(values.data)
            if dtype is not DType.BF16:
                self._bf16 = self._bf16 and fits_bfloat16(values.view(np.uint32))
            self._fp16 = self._fp16 and (dtype is DType.F16 or fits_float16(values.view(np.uint32)))
        else:
            self._bf16 = self._fp16 = False
        if self._is_double:
            self._double.update(values.astype(np.float64).data)
        return values

    def finish(self) -> Facts:
        tensor, exact32, sample, wide = self._tensor, self._exact32, self._sample, self._wide
        if exact32:
            sample, wide = sample.astype(np.float32), wide.astype(np.float32)
        stored = self._stored.hexdigest()
        # What is stored in float32 is its own digest.
        narrow = stored if tensor.dtype is DType.F32 else self._narrow.hexdigest()
        result = self._moments.finish()
        if self._is_matrix:
            absmax = self._absmax[self._rows]
        else:
            absmax = np.abs(sample[:, 0]).astype(np.float64)
        return Facts(
            describe_tensor(
                name=self._name,
                shape=tensor.shape,
                dtype=tensor.dtype,
                bits=None if tensor.quantisation is None else tensor.quantisation.bits,
                rows=self._rows,
                columns=self._columns,
                sample=sample,
                wide=wide,
                cells=self._cells,
                row_absmax=absmax,
                absmax=max(abs(result.minimum), abs(result.maximum)),
                row_norms=self._norms,
                byte_digest=stored,
                value_digest=narrow if exact32 else self._double.hexdigest(),
                moments=result,
            ),
            self._bf16,
            self._fp16,
        )


def read_whole(
    tensor: LazyTensor, reading: Reading, helper: Executor, progress: Progress | None
) -> Facts:
    """The full pass over one tensor: while a helper sums up a piece, the next one is read, decoded
    and hashed."""
    alone = reading.reads_besides or tensor.size <= PIECE
    waiting: Future[None] | None = None
    for start, raw in tensor.iterate_raw(READ_VALUES):
        values = reading.decode(raw)
        if waiting is not None:
            waiting.result()
        if alone:
            reading.add(start, values)
        else:
            waiting = helper.submit(reading.add, start, values)
        if progress is not None:
            progress(raw.nbytes)
    if waiting is not None:
        waiting.result()
    return reading.finish()
