"""Parts of very large files: a few blocks of rows of every matrix stand for all of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.weights.tensors import LazyTensor

BLOCKS = 8

Tensors = Mapping[str, LazyTensor]


class RowBlocks(LazyTensor):
    """Evenly spaced blocks of a tensor's first rows, as a tensor of its own.

    Parameters
    ----------
    rows : so many of the tensor's rows count
    share : of them that is kept, in (0, 1]
    """

    def __init__(self, whole: LazyTensor, *, rows: int, share: float) -> None:
        blocks = min(BLOCKS, max(1, round(rows * share)))
        edges = np.linspace(0, rows, blocks + 1).astype(int)
        self._blocks = [
            (int(start), int(start) + max(1, round((stop - start) * share)))
            for start, stop in pairwise(edges)
        ]
        kept = sum(stop - start for start, stop in self._blocks)
        super().__init__(whole.name, (kept, *whole.shape[1:]), whole.dtype)
        self._whole = whole

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        width = self.row_size
        found, first = [], 0
        for begin, end in self._blocks:
            count = (end - begin) * width
            inner = max(start - first, 0), min(stop - first, count)
            if inner[0] < inner[1]:
                base = begin * width
                # A copy, as the next read reuses the file's buffer.
                found.append(self._whole.read_raw(base + inner[0], base + inner[1]).copy())
            first += count
        return np.concatenate(found) if found else self._whole.read_raw(0, 0)


def limit_bytes(a: Tensors, b: Tensors, limit: int) -> tuple[Tensors, Tensors]:
    """The same two models, of whose shared matrices at most about ``limit`` bytes each are read.

    Vectors are kept whole. Of both models the same rows are read.
    """
    shared = [n for n in sorted(a.keys() & b.keys()) if min(len(a[n].shape), len(b[n].shape)) > 1]
    total = max(sum(model[name].nbytes for name in shared) for model in (a, b))
    if total <= limit:
        return a, b
    rows = {name: min(a[name].row_count, b[name].row_count) for name in shared}
    first, second = (
        {
            **model,
            **{n: RowBlocks(model[n], rows=r, share=limit / total) for n, r in rows.items() if r},
        }
        for model in (a, b)
    )
    return first, second
