"""Lazy tensors over an open file: contiguous runs of bytes, and strided views of a storage."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.tensors import DType, LazyTensor, Weights, decode

LONGEST_EMPTY = 1 << 20
"""Largest dimension of a tensor that holds no values."""
WINDOW_BYTES = 1 << 24
"""A strided tensor is gathered in windows of this size, as small pieces would cost many reads."""
SPAN_BYTES = 1 << 20
"""At most this much of the file is read at once to pick a strided tensor's values from."""
FREE_SPAN_BYTES = 1 << 16
"""Reading this much costs about as little as one value: reads are not divided further."""


class FileWeights(Weights):
    """Tensors that lie in one open file, which closes with this."""

    def __init__(
        self,
        file: OpenFile,
        tensors: Mapping[str, LazyTensor],
        *,
        format: str,
        metadata: Mapping[str, str],
        tied: Mapping[str, str] | None = None,
    ) -> None:
        if not any(t.dtype.is_floating and t.size for t in tensors.values()):
            raise InvalidWeights(
                "This checkpoint holds no floating point values, so there is nothing to compare."
            )
        for tensor in tensors.values():
            # Whoever makes an array of a tensor's rows must not be fooled by one without values.
            if tensor.size == 0 and max(tensor.shape) > LONGEST_EMPTY:
                raise InvalidWeights(
                    f"Tensor {quote(tensor.name)} has no values and claims a dimension of "
                    f"{max(tensor.shape):,}."
                )
        self._file = file
        self._tensors = dict(tensors)
        self.format = format
        self.metadata = dict(metadata)
        self.tied = dict(tied or {})

    def close(self) -> None:
        self._file.close()


class ContiguousTensor(LazyTensor):
    """Values in C order from byte ``offset`` of the file on."""

    def __init__(
        self, file: OpenFile, name: str, shape: tuple[int, ...], dtype: DType, offset: int
    ) -> None:
        super().__init__(name, shape, dtype)
        self._file = file
        self._offset = offset

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        check_range(self, start, stop)
        item = self.dtype.itemsize
        view = self._file.read_buffer(self._offset + start * item, (stop - start) * item)
        return np.frombuffer(view, self.dtype.storage)

    def gather_rows(self, rows: Sequence[int]) -> NDArray[np.floating]:
        count = self.row_size * self.dtype.itemsize
        for row in rows:
            check_range(self, row * self.row_size, (row + 1) * self.row_size)
        raw = self._file.read_pieces([self._offset + row * count for row in rows], count)
        if self.dtype is DType.F32:
            values: NDArray[np.floating] = np.frombuffer(raw, np.float32)
        else:
            values = decode(np.frombuffer(raw, self.dtype.storage), self.dtype)
        return values.reshape(len(rows), self.row_size)


class Window(threading.local):
    """The values a thread gathered last: one for all strided tensors of a file, so memory is
    bounded."""

    def __init__(self) -> None:
        self.owner: LazyTensor | None = None
        self.start = 0
        self.values: NDArray[np.generic] = np.empty(0, np.uint8)

    def holds(self, tensor: LazyTensor, start: int, stop: int) -> bool:
        end = self.start + len(self.values)
        return self.owner is tensor and self.start <= start <= stop <= end


class StridedTensor(LazyTensor):
    """A view of a storage: value (i, j, ...) lies ``i * strides[0] + ...`` values after the first.

    Every stride is >= 0 and the caller has checked that the last value lies in the storage, and
    ``can_be_gathered``.
    """

    def __init__(
        self,
        file: OpenFile,
        name: str,
        shape: tuple[int, ...],
        dtype: DType,
        offset: int,
        strides: tuple[int, ...],
        window: Window,
    ) -> None:
        super().__init__(name, shape, dtype)
        self._file = file
        self._offset = offset
        self._strides = strides
        self._window = window

    @property
    def reach(self) -> int:
        """Bytes from the first value to the last, with what lies between."""
        return calculate_reach(self.shape, self._strides) * self.dtype.itemsize

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        check_range(self, start, stop)
        window = self._window
        if not window.holds(self, start, stop):
            count = max(stop - start, WINDOW_BYTES // self.dtype.itemsize)
            window.owner = None
            window.values = self._gather_range(start, min(start + count, self.size))
            window.values.flags.writeable = False
            window.start = start
            window.owner = self
        return window.values[start - window.start : stop - window.start]

    def _gather_range(self, start: int, stop: int) -> NDArray[np.generic]:
        values = np.empty(stop - start, self.dtype.storage)
        done = 0
        for first, counts in split_range(self.shape, start, stop):
            place = sum(i * s for i, s in zip(first, self._strides, strict=True))
            size = math.prod(counts)
            self._gather_box(place, counts, values[done : done + size].reshape(counts))
            done += size
        return values

    def _gather_box(self, place: int, counts: Sequence[int], out: NDArray[np.generic]) -> None:
        """Copy the box of ``counts`` values at ``place`` to ``out``, halved until it is dense."""
        item = self.dtype.itemsize
        extents = [(n - 1) * s for n, s in zip(counts, self._strides, strict=True)]
        span = (sum(extents) + 1) * item
        enough = max(FREE_SPAN_BYTES, min(SPAN_BYTES, 4 * out.size * item))
        if span <= enough:
            view = self._file.read_buffer(self._offset + place * item, span)
            raw = np.frombuffer(view, self.dtype.storage)
            steps = tuple(s * item for s in self._strides)
            out[...] = np.lib.stride_tricks.as_strided(raw, tuple(counts), steps)
            return
        axis = extents.index(max(extents))
        half = counts[axis] // 2
        for begin, end in ((0, half), (half, counts[axis])):
            part = [*counts[:axis], end - begin, *counts[axis + 1 :]]
            cut = (*[slice(None)] * axis, slice(begin, end))
            self._gather_box(place + begin * self._strides[axis], part, out[cut])


def is_contiguous(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether strides (in values) are those of C order; dimensions of one do not count."""
    expected = 1
    for count, stride in zip(reversed(shape), reversed(strides), strict=True):
        if count != 1 and stride != expected:
            return False
        expected *= count
    return True


def calculate_reach(shape: Sequence[int], strides: Sequence[int]) -> int:
    """Values of the storage from a view's first value to its last; 0 for a view of none."""
    if 0 in shape:
        return 0
    return 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))


def can_be_gathered(shape: Sequence[int], strides: Sequence[int], dtype: DType) -> bool:
    """Whether every stride but zero passes over all that the smaller strides reach.

    Then boxes of values lie beside each other and each part of the storage is read about once.
    Views that overlap themselves in other ways could cost a read per value; they are taken where
    they reach over so little that it is read at once.
    """
    reached = 1
    for stride, count in sorted(zip(strides, shape, strict=True)):
        if count > 1 and stride:
            if stride < reached:
                return calculate_reach(shape, strides) * dtype.itemsize <= FREE_SPAN_BYTES
            reached += (count - 1) * stride
    return True


def split_range(
    shape: tuple[int, ...], start: int, stop: int
) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Cut the flat range ``start:stop`` of a C-ordered array into boxes (first index, counts).

    In order, at most two boxes per dimension: part of one dimension, all of the later ones.
    """
    while start < stop:
        index = np.unravel_index(start, shape)
        first = tuple(int(i) for i in index)
        # The outermost axis on which whole slices can be taken from here without passing ``stop``.
        axis = len(shape) - 1
        inner = 1
        while axis > 0 and first[axis] == 0 and start + inner * shape[axis] <= stop:
            inner *= shape[axis]
            axis -= 1
        count = min(shape[axis] - first[axis], (stop - start) // inner)
        yield first, [1] * axis + [count] + list(shape[axis + 1 :])
        start += count * inner


def check_range(tensor: LazyTensor, start: int, stop: int) -> None:
    """Raise IndexError where ``start:stop`` is no range of the tensor's values."""
    if not 0 <= start <= stop <= tensor.size:
        raise IndexError(f"{start}:{stop} is outside a tensor of {tensor.size} values")
