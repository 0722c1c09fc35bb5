"""One bounded pass over a model's weights gives its fingerprint."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.adapters import FactorPair, find_factors, sample_change
from model_heritage_backend.fingerprints.fingerprint import AdaptedMatrix, Fingerprint
from model_heritage_backend.fingerprints.full_pass import Progress, Reading, read_whole
from model_heritage_backend.fingerprints.names import canonicalise_names
from model_heritage_backend.fingerprints.places import (
    find_places,
    find_wide_places,
    gather_cells,
    make_cells,
)
from model_heritage_backend.fingerprints.sampling import SAMPLE_SIZE, WIDE_SIZE, choose_wide
from model_heritage_backend.fingerprints.structure import is_parameter
from model_heritage_backend.fingerprints.summary import Facts, build_fingerprint, describe_sample
from model_heritage_backend.weights.tensors import DOUBLE, LazyTensor, Weights

LITTLE = 1 << 20
"""Bytes that one thread reads as fast as two."""
SHORT_VECTOR = 1 << 16
CHOSEN_VALUES = 1 << 16
"""Values of chosen rows that are held in memory together."""


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
    lock = Lock()

    def advance(count: int) -> None:
        if progress is not None:
            with lock:
                progress(count)

    def read(tensor: LazyTensor, name: str, wide: bool) -> Facts:
        return read_whole(tensor, Reading(tensor, name, sample_size, _widen(wide)), advance)

    return _assemble(
        weights,
        checksum,
        "full",
        read,
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
    named = sorted(weights.items())
    # A sample is many small readings, between which the interpreter's lock is held.
    sizes = [tensor.nbytes if level == "full" else 0 for _, tensor in named]
    facts = _work_side_by_side(
        [partial(read, tensor, canonical[name], canonical[name] in wide) for name, tensor in named],
        sizes,
    )
    return build_fingerprint(
        facts,
        checksum=checksum,
        level=level,
        adapted={pair.target: adapted(pair) for pair in factors},
        notes=[note for note, holds in notes.items() if holds],
    )


def _work_side_by_side(works: Sequence[Callable[[], Facts]], sizes: Sequence[int]) -> list[Facts]:
    """The results, in order; the largest is begun first, so that none is left to one thread at the
    end. A thread more is not worth while for little."""
    found: dict[int, Facts] = {}
    # Whoever takes the next number from this iterator has it alone.
    waiting = iter(sorted(range(len(works)), key=lambda i: -sizes[i]))

    def work() -> None:
        try:
            for number in waiting:
                found[number] = works[number]()
        finally:
            # Where one fails, the others need not go on.
            deque(waiting, maxlen=0)

    if sum(sizes) < LITTLE:
        work()
    else:
        with ThreadPoolExecutor(1) as pool:
            helper = pool.submit(work)
            work()
            helper.result()
    return [found[number] for number in range(len(works))]


def _peek(
    tensor: LazyTensor,
    name: str,
    row_count: int,
    column_count: int,
    wide_size: int,
    wide_rows: int,
) -> Facts:
    """The sampled rows of one tensor."""
    rows, columns = find_places(tensor, row_count, column_count)
    floating = np.float64 if tensor.dtype in DOUBLE else np.float32
    sample = np.zeros((rows.size, columns.size), floating)
    wide_places, wide_columns = find_wide_places(tensor, wide_size, wide_rows)
    wide = np.zeros((wide_places.size, wide_columns.size), floating)
    cells = make_cells(tensor, rows, columns)
    absmax = np.zeros(rows.size)
    if len(tensor.shape) < 2 and 0 < tensor.size <= SHORT_VECTOR:
        # Each of its values is a row of its own: one reading of all is less than hundreds.
        sample[:] = tensor.read_rows(0, tensor.row_count)[rows]
        absmax[:] = np.abs(np.nan_to_num(sample[:, 0].astype(np.float64)))
    else:
        for part, values in _read_chosen(tensor, rows):
            sample[part] = values[:, columns]
            absmax[part] = _find_largest(values)
    if cells.size:
        for row in rows:
            first = int(row) * tensor.row_size
            gather_cells(tensor, first, first + tensor.row_size, rows, columns, cells)
    for part, values in _read_chosen(tensor, wide_places):
        wide[part] = values[:, wide_columns]
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


def _read_chosen(
    tensor: LazyTensor, rows: NDArray[np.int64]
) -> Iterator[tuple[slice, NDArray[np.floating]]]:
    """Which of the rows, and their values: a few at a time."""
    together = max(1, CHOSEN_VALUES // max(tensor.row_size, 1))
    for start in range(0, len(rows) if tensor.size else 0, together):
        part = slice(start, start + together)
        yield part, tensor.gather_rows(rows[part].tolist())


def _find_largest(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Each row's largest magnitude; what is not a number counts as 0, infinity as the largest
    number."""
    largest: NDArray[np.float64] = np.abs(values).max(1).astype(np.float64)
    for row in np.flatnonzero(~np.isfinite(largest)):
        largest[row] = float(np.abs(np.nan_to_num(values[row].astype(np.float64))).max())
    return largest
