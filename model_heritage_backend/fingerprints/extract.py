"""One bounded pass over a model's weights gives its fingerprint."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.adapters import FactorPair, find_factors, sample_change
from model_heritage_backend.fingerprints.fingerprint import AdaptedMatrix, Fingerprint, Moments
from model_heritage_backend.fingerprints.kernels import (
    PIECE,
    add_row_statistics,
    count_nonfinite,
    expand_bfloat16,
    fits_bfloat16,
    gather_sample,
    piece_moments,
)
from model_heritage_backend.fingerprints.names import canonicalise_names
from model_heritage_backend.fingerprints.sampling import (
    COLUMN_SALT,
    ROW_SALT,
    SAMPLE_SIZE,
    WIDE_SIZE,
    choose_wide,
    select_indices,
)
from model_heritage_backend.fingerprints.structure import is_parameter
from model_heritage_backend.fingerprints.summary import (
    Facts,
    build_fingerprint,
    describe_sample,
    describe_tensor,
)
from model_heritage_backend.weights.tensors import (
    DOUBLE,
    DType,
    LazyTensor,
    Weights,
    decode,
)

VECTOR_SAMPLE = 256
"""Values kept of a tensor with one dimension."""
SHORT_VECTOR = 1 << 16
READ_VALUES = 4 * PIECE

Progress = Callable[[int], None]


def fingerprint_weights(
    weights: Weights,
    *,
    checksum: str,
    sample_size: int = SAMPLE_SIZE,
    progress: Progress | None = None,
) -> Fingerprint:
    """Read every value once, in pieces of at most 2 MB, and summarise.

    Parameters
    ----------
    weights : an open checkpoint
    checksum : SHA-256 of its file, hex
    sample_size : rows and columns sampled per matrix
    progress : called with the number of bytes read since the last call

    Returns
    -------
    Fingerprint at level "full"

    Raises
    ------
    InvalidWeights
        When the file changes or ends while it is read.
    """
    return _assemble(
        weights,
        checksum,
        "full",
        lambda tensor, name, wide: _read(tensor, name, sample_size, _widen(wide), progress),
        lambda pair: sample_change(pair, sample_size, sample_size),
    )


def fingerprint_sampled(
    weights: Weights, *, checksum: str, sample_size: int = SAMPLE_SIZE, rows: int | None = None
) -> Fingerprint:
    """The sampled rows only: for files too large or too far away to be read whole.

    Level "sampled": exact moments, row norms and digests are absent, and the flags speak of the
    sample alone. Row maxima are those of the sampled rows, which are read whole.

    Parameters
    ----------
    rows : of each matrix, wide samples included, where all are too many. Compare the result with
        fingerprints of ``restrict_rows`` alone
    """
    most = sample_size if rows is None else min(rows, sample_size)
    most_wide = WIDE_SIZE if rows is None else rows
    return _assemble(
        weights,
        checksum,
        "sampled",
        lambda tensor, name, wide: _peek(tensor, name, most, sample_size, _widen(wide), most_wide),
        lambda pair: sample_change(pair, most, sample_size),
    )


def _widen(wide: bool) -> int:
    return WIDE_SIZE if wide else 0


def _assemble(
    weights: Weights,
    checksum: str,
    level: str,
    read: Callable[[LazyTensor, str, bool], Facts],
    adapted: Callable[[FactorPair], AdaptedMatrix],
) -> Fingerprint:
    canonical = canonicalise_names(weights)
    wide = choose_wide(
        {canonical[n]: t.shape for n, t in weights.items() if is_parameter(t.dtype, t.shape)}
    )
    factors, left_over = find_factors(weights)
    notes = {
        "adapter": bool(factors),
        "incomplete_adapter": left_over,
        "uncompared": bool(weights.uncompared),
    }
    return build_fingerprint(
        [
            read(tensor, canonical[name], canonical[name] in wide)
            for name, tensor in sorted(weights.items())
        ],
        checksum=checksum,
        level=level,
        adapted={pair.target: adapted(pair) for pair in factors},
        notes=[note for note, holds in notes.items() if holds],
    )


def _sampled_indices(
    tensor: LazyTensor, rows: int, columns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if len(tensor.shape) >= 2:
        places = select_indices(tensor.row_count, rows, ROW_SALT)
        return places, select_indices(tensor.row_size, columns, COLUMN_SALT)
    return select_indices(tensor.row_count, VECTOR_SAMPLE, ROW_SALT), np.zeros(1, np.int64)


def _wide_indices(
    tensor: LazyTensor, wide_size: int, most_rows: int = WIDE_SIZE
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if wide_size == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return _sampled_indices(tensor, min(wide_size, most_rows), wide_size)


def _empty_cells(
    tensor: LazyTensor, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float32]:
    known = tensor.quantisation is not None
    return np.zeros((2, rows.size, columns.size) if known else (2, 0, 0), np.float32)


def _gather_cells(
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


def _read(
    tensor: LazyTensor, name: str, sample_size: int, wide_size: int, progress: Progress | None
) -> Facts:
    """The full pass over one tensor."""
    double_precision = tensor.dtype in DOUBLE
    is_matrix = len(tensor.shape) >= 2
    rows, columns = _sampled_indices(tensor, sample_size, sample_size)
    floating = np.float64 if double_precision else np.float32
    sample = np.zeros((rows.size, columns.size), floating)
    wide_rows, wide_columns = _wide_indices(tensor, wide_size)
    wide = np.zeros((wide_rows.size, wide_columns.size), floating)
    norms = np.zeros(tensor.row_count if is_matrix else 0)
    absmax = np.zeros(norms.size)
    stored, narrow, double = xxhash.xxh3_128(), xxhash.xxh3_128(), xxhash.xxh3_128()
    moments = _RunningMoments()
    cells = _empty_cells(tensor, rows, columns)
    bits = np.empty(READ_VALUES if tensor.dtype is DType.BF16 else 0, np.uint32)
    bf16 = fp16 = exact32 = True
    for start, raw in tensor.iterate_raw(READ_VALUES):
        stored.update(raw.data)
        if tensor.dtype is DType.BF16:
            expand_bfloat16(raw.view(np.uint16), bits)
            values: NDArray[np.floating] = bits[: raw.size].view(np.float32)
        elif tensor.dtype is DType.F32:
            values = raw.view(np.float32)
        else:
            values = decode(raw, tensor.dtype)
        if exact32 and double_precision:
            with np.errstate(over="ignore"):
                exact32 = np.array_equal(values, values.astype(np.float32), equal_nan=True)
        if exact32:
            values = values.astype(np.float32, copy=False)
            narrow.update(values.data)
            bf16 = bf16 and fits_bfloat16(values.view(np.uint32))
        else:
            bf16 = fp16 = False
        if double_precision:
            double.update(values.astype(np.float64).data)
        if fp16 and tensor.dtype is not DType.F16:
            with np.errstate(over="ignore"):
                fp16 = bool(np.array_equal(values, values.astype(np.float16), equal_nan=True))
        for first in range(0, values.size, PIECE):
            moments.add(values[first : first + PIECE])
            if is_matrix:
                piece = values[first : first + PIECE]
                add_row_statistics(piece, start + first, tensor.row_size, norms, absmax)
        gather_sample(values, start, tensor.row_size, rows, columns, sample)
        gather_sample(values, start, tensor.row_size, wide_rows, wide_columns, wide)
        if progress is not None:
            progress(raw.nbytes)
        if cells.size:
            _gather_cells(tensor, start, start + values.size, rows, columns, cells)
    if exact32:
        sample, wide = sample.astype(np.float32), wide.astype(np.float32)
    result = moments.finish()
    return Facts(
        describe_tensor(
            name=name,
            shape=tensor.shape,
            dtype=tensor.dtype,
            bits=None if tensor.quantisation is None else tensor.quantisation.bits,
            rows=rows,
            columns=columns,
            sample=sample,
            wide=wide,
            cells=cells,
            row_absmax=absmax[rows] if is_matrix else np.abs(sample[:, 0]).astype(np.float64),
            absmax=max(abs(result.minimum), abs(result.maximum)),
            row_norms=norms,
            byte_digest=stored.hexdigest(),
            value_digest=(narrow if exact32 else double).hexdigest(),
            moments=result,
        ),
        bf16,
        fp16,
    )


def _peek(
    tensor: LazyTensor,
    name: str,
    row_count: int,
    column_count: int,
    wide_size: int,
    wide_rows: int,
) -> Facts:
    """The sampled rows of one tensor."""
    rows, columns = _sampled_indices(tensor, row_count, column_count)
    floating = np.float64 if tensor.dtype in DOUBLE else np.float32
    sample = np.zeros((rows.size, columns.size), floating)
    wide_places, wide_columns = _wide_indices(tensor, wide_size, wide_rows)
    wide = np.zeros((wide_places.size, wide_columns.size), floating)
    cells = _empty_cells(tensor, rows, columns)
    absmax = np.zeros(rows.size)
    if len(tensor.shape) < 2 and 0 < tensor.size <= SHORT_VECTOR:
        # Each of its values is a row of its own: one reading of all is less than hundreds.
        sample[:] = tensor.read_rows(0, tensor.row_count)[rows]
        absmax[:] = np.abs(np.nan_to_num(sample[:, 0].astype(np.float64)))
    else:
        for i, row in enumerate(rows if tensor.size else ()):
            values = tensor.read_rows(int(row), int(row) + 1)[0]
            sample[i] = values[columns]
            absmax[i] = np.abs(np.nan_to_num(values.astype(np.float64))).max()
    if cells.size:
        for row in rows:
            first = int(row) * tensor.row_size
            _gather_cells(tensor, first, first + tensor.row_size, rows, columns, cells)
    for i, row in enumerate(wide_places):
        wide[i] = tensor.read_rows(int(row), int(row) + 1)[0][wide_columns]
    return describe_sample(
        name=name,
        shape=tensor.shape,
        dtype=tensor.dtype,
        bits=None if tensor.quantisation is None else tensor.quantisation.bits,
        rows=rows,
        columns=columns,
        sample=sample,
        wide=wide,
        cells=cells,
        row_absmax=absmax,
    )


class _RunningMoments:
    """Central moments merged piece by piece.

    Pairwise update formulas: Pebay, "Formulas for robust, one-pass parallel computation of
    covariances and arbitrary-order statistical moments", Sandia report SAND2008-6212, section 2.
    """

    def __init__(self) -> None:
        self.n = 0
        self.mean = self.second = self.third = self.fourth = 0.0
        self.minimum, self.maximum = np.inf, -np.inf
        self.zeros = 0
        self.nonfinite = 0

    def add(self, values: NDArray[np.floating]) -> None:
        bad = count_nonfinite(values)
        if bad:
            self.nonfinite += bad
            values = values[np.isfinite(values)]
        if values.size == 0:
            return
        total, m2, m3, m4, low, high, zeros = piece_moments(values)
        na, nb = float(self.n), float(values.size)
        n = na + nb
        delta = total / nb - self.mean
        step = delta / n
        self.fourth += (
            m4
            + delta * step * step * step * na * nb * (na * na - na * nb + nb * nb)
            + 6.0 * step * step * (na * na * m2 + nb * nb * self.second)
            + 4.0 * step * (na * m3 - nb * self.third)
        )
        self.third += (
            m3
            + delta * step * step * na * nb * (na - nb)
            + 3.0 * step * (na * m2 - nb * self.second)
        )
        self.second += m2 + delta * step * na * nb
        self.mean += step * nb
        self.n += values.size
        self.minimum = min(self.minimum, low)
        self.maximum = max(self.maximum, high)
        self.zeros += int(zeros)

    def finish(self) -> Moments:
        n = self.n
        variance = self.second / n if n else 0.0
        spread = self.second > 0.0 and np.isfinite(self.fourth)
        third, fourth = 0.0, 0.0
        if spread:
            third = float(np.sqrt(n) * (self.third / self.second) / np.sqrt(self.second))
            fourth = float(n * (self.fourth / self.second / self.second) - 3.0)
        return Moments(
            mean=self.mean,
            variance=variance,
            skewness=third,
            kurtosis=fourth,
            minimum=self.minimum if n else 0.0,
            maximum=self.maximum if n else 0.0,
            squared_norm=self.second + n * self.mean * self.mean,
            zeros=self.zeros / n if n else 0.0,
            nonfinite=self.nonfinite,
        )
