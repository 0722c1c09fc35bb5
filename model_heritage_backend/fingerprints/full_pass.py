"""One pass over all values of a tensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.digests import TAIL, Digest
from model_heritage_backend.fingerprints.kernels import (
    PIECE,
    add_row_norms,
    fits_bfloat16,
    gather_sample,
    raise_tops,
)
from model_heritage_backend.fingerprints.lanes import fits_float16
from model_heritage_backend.fingerprints.moments import RunningMoments
from model_heritage_backend.fingerprints.piece_sums import Sums, add_pieces
from model_heritage_backend.fingerprints.places import (
    find_places,
    find_wide_places,
    gather_cells,
    make_cells,
)
from model_heritage_backend.fingerprints.summary import Facts, describe_tensor
from model_heritage_backend.weights.tensors import DOUBLE, DType, LazyTensor, decode

READ_VALUES = 8 * PIECE

NOTHING = np.empty(0, np.uint16)
NOTHING.flags.writeable = False

Progress = Callable[[int], None]


class Reading:
    """What one full pass gathers of a tensor; its pieces come in order."""

    def __init__(self, tensor: LazyTensor, name: str, sample_size: int, wide_size: int) -> None:
        self._tensor, self._name = tensor, name
        self._is_double = tensor.dtype in DOUBLE
        self._is_matrix = len(tensor.shape) >= 2
        rows, columns = find_places(tensor, sample_size, sample_size)
        wide_rows, wide_columns = find_wide_places(tensor, wide_size)
        floating = np.float64 if self._is_double else np.float32
        norms = np.zeros(tensor.row_count if self._is_matrix else 0)
        self._stored = Digest(tensor.nbytes)
        self._narrow, self._double = Digest(4 * tensor.size), Digest(8 * tensor.size)
        self._moments = RunningMoments()
        self._sums = Sums(
            stored=self._stored.sums,
            digest=self._narrow.sums,
            # What is known beforehand need not be looked at.
            misfits=np.array([tensor.dtype is DType.BF16, tensor.dtype is DType.F16]),
            moments=self._moments.state,
            norms=norms,
            tops=np.zeros(rows.size if self._is_matrix else 0, np.int64),
            rows=rows,
            columns=columns,
            sample=np.zeros((rows.size, columns.size), floating),
            wide_rows=wide_rows,
            wide_columns=wide_columns,
            wide=np.zeros((wide_rows.size, wide_columns.size), floating),
        )
        self._cells = make_cells(tensor, rows, columns)
        self._bits = np.empty(PIECE if tensor.dtype is DType.BF16 else 0, np.uint32)
        self._exact32 = True

    def add(self, start: int, raw: NDArray[np.generic]) -> None:
        """Add the raw values from the ``start``-th on."""
        # Loops are compiled for each kind of array: values are read-only, wherever they lie.
        raw = raw.view()
        raw.flags.writeable = False
        dtype = self._tensor.dtype
        if dtype is DType.F32:
            self._add_singles(start, raw.view(np.float32))
        elif dtype is DType.BF16:
            self._add_singles(start, self._bits.view(np.float32), raw.view(np.uint16))
        else:
            self._stored.update(raw)
            values = decode(raw, dtype)
            (self._add_doubles if self._is_double else self._add_singles)(start, values)
        if self._cells.size:
            stop, sums = start + raw.size, self._sums
            gather_cells(self._tensor, start, stop, sums.rows, sums.columns, self._cells)

    def _add_singles(
        self, start: int, values: NDArray[np.floating], raw: NDArray[np.uint16] = NOTHING
    ) -> None:
        """``raw``: bfloat16 values, whose pieces are expanded to ``values`` one after the other."""
        values = values.view()
        values.flags.writeable = False
        size = raw.size or values.size
        stored = self._stored.count_whole(raw.nbytes) // 2 if raw.size else 0
        narrow = self._narrow.count_whole(4 * size) // 4
        done = 0
        while done < size:
            rest = values if raw.size else values[done:]
            digested = stored - done, narrow - done
            row_size = self._tensor.row_size
            passed = add_pieces(
                raw[done:], self._bits, rest, start + done, row_size, digested, self._sums
            )
            done += passed
            count = min(PIECE, size - done)
            self._moments.add(rest[:count] if raw.size else rest[passed : passed + count])
            done += PIECE
        if raw.size and self._stored.pass_over(raw.nbytes):
            self._stored.add_end(raw[-TAIL:])
        if self._narrow.pass_over(4 * size):
            self._narrow.add_end(decode(raw[-TAIL:], DType.BF16) if raw.size else values[-TAIL:])

    def _add_doubles(self, start: int, values: NDArray[np.floating]) -> None:
        values.flags.writeable = False
        sums, size = self._sums, self._tensor.row_size
        self._double.update(values)
        if self._exact32:
            with np.errstate(over="ignore"):
                narrow = values.astype(np.float32)
            self._exact32 = np.array_equal(values, narrow, equal_nan=True)
            narrow.flags.writeable = False
            self._narrow.update(narrow)
            sums.misfits[0] |= not fits_bfloat16(narrow.view(np.uint32))
            sums.misfits[1] |= not fits_float16(narrow)
        gather_sample(values, start, size, sums.rows, sums.columns, sums.sample)
        gather_sample(values, start, size, sums.wide_rows, sums.wide_columns, sums.wide)
        for first in range(0, values.size, PIECE):
            piece = values[first : first + PIECE]
            self._moments.add(piece)
            if self._is_matrix:
                add_row_norms(piece, start + first, size, sums.norms)
                bits = piece.view(np.int64)
                raise_tops(bits, start + first, size, sums.rows, sums.tops)

    def finish(self) -> Facts:
        tensor, exact32, sums = self._tensor, self._exact32, self._sums
        sample, wide = sums.sample, sums.wide
        if exact32:
            sample, wide = sample.astype(np.float32), wide.astype(np.float32)
        narrow = self._narrow.hexdigest() if exact32 else self._double.hexdigest()
        result = self._moments.finish()
        if self._is_matrix:
            bits = sums.tops.astype(np.int64 if self._is_double else np.int32)
            absmax = bits.view(np.float64 if self._is_double else np.float32).astype(np.float64)
        else:
            absmax = np.abs(sample[:, 0]).astype(np.float64)
        bf16 = tensor.dtype is DType.BF16 or (exact32 and not sums.misfits[0])
        fp16 = tensor.dtype is DType.F16 or (exact32 and not sums.misfits[1])
        return Facts(
            describe_tensor(
                name=self._name,
                shape=tensor.shape,
                dtype=tensor.dtype,
                bits=None if tensor.quantisation is None else tensor.quantisation.bits,
                rows=sums.rows,
                columns=sums.columns,
                sample=sample,
                wide=wide,
                cells=self._cells,
                row_absmax=absmax,
                absmax=max(abs(result.minimum), abs(result.maximum)),
                row_norms=sums.norms,
                # What is stored in float32 is its own digest.
                byte_digest=narrow if tensor.dtype is DType.F32 else self._stored.hexdigest(),
                value_digest=narrow,
                moments=result,
            ),
            bf16,
            fp16,
        )


def read_whole(tensor: LazyTensor, reading: Reading, progress: Progress | None) -> Facts:
    """The full pass over one tensor."""
    for start, raw in tensor.iterate_raw(READ_VALUES):
        reading.add(start, raw)
        if progress is not None:
            progress(raw.nbytes)
    return reading.finish()
