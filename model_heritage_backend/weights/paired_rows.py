"""A tensor whose rows are stored in pairs within each head, read in their original order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.weights.file_tensors import check_range
from model_heritage_backend.weights.tensors import LazyTensor

Read = Callable[[int, int], NDArray[np.generic]]


class PairedRows(LazyTensor):
    """Row j of a head's first half is stored as its row 2j, row j of the second as row 2j + 1.

    Parameters
    ----------
    stored : the tensor as stored
    head_rows : rows of one head, an even number that divides the number of rows
    """

    def __init__(self, stored: LazyTensor, *, head_rows: int) -> None:
        super().__init__(stored.name, stored.shape, stored.dtype)
        self.quantisation = stored.quantisation
        self._stored = stored
        self._half = head_rows // 2

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        check_range(self, start, stop)
        values = self._gather(self._stored.read_raw, start, stop)
        values.flags.writeable = False
        return values

    def read_cells(self, start: int, stop: int) -> NDArray[np.float32]:
        check_range(self, start, stop)
        return self._gather(self._stored.read_cells, start, stop).astype(np.float32, copy=False)

    def _gather(self, read: Read, start: int, stop: int) -> NDArray[np.generic]:
        """Twice as many values are read at once as are asked for, at most."""
        parts = [np.array(part) for part in self._list_parts(read, start, stop)]
        return np.concatenate(parts, axis=-1) if parts else np.array(read(start, stop))

    def _list_parts(self, read: Read, start: int, stop: int) -> Iterator[NDArray[np.generic]]:
        width = self.row_size
        while start < stop:
            row, column = divmod(start, width)
            half, within = divmod(row, self._half)
            place = (half // 2 * 2 * self._half + 2 * within + half % 2) * width
            # Whole rows of this half of the head, or what is wanted of one row.
            rows = min(self._half - within, (stop - start) // width)
            if column or not rows:
                count = min(width - column, stop - start)
                yield read(place + column, place + column + count)
                start += count
                continue
            run = read(place, place + (2 * rows - 1) * width)
            # Every other row. The run ends with one that is wanted: fill up its pair.
            pairs = np.concatenate([run, run[..., :width]], axis=-1)
            yield pairs.reshape(*run.shape[:-1], rows, 2, width)[..., 0, :].reshape(
                *run.shape[:-1], rows * width
            )
            start += rows * width
