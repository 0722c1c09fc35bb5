"""Compiled loops over many pieces of a tensor: each piece is looked at in every way while it lies
in the processor's cache."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.digests import add_blocks
from model_heritage_backend.fingerprints.kernels import (
    PIECE,
    expand_bfloat16,
    fits_bfloat16,
    gather_sample,
    raise_tops,
)
from model_heritage_backend.fingerprints.lanes import add_single_norms, fits_float16, single_moments
from model_heritage_backend.fingerprints.moments import merge_moments


class Sums(NamedTuple):
    """What is gathered of a tensor of float32 values: each as in the module it comes from.

    ``digest`` is of the values, ``stored`` of what is stored in bfloat16. ``misfits``: whether some
    value is not exact in bfloat16, or in float16. ``norms`` and ``tops`` are empty unless it is a
    matrix.
    """

    stored: NDArray[np.uint64]
    digest: NDArray[np.uint64]
    misfits: NDArray[np.bool_]
    moments: NDArray[np.float64]
    norms: NDArray[np.float64]
    tops: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    sample: NDArray[np.float32]
    wide_rows: NDArray[np.int64]
    wide_columns: NDArray[np.int64]
    wide: NDArray[np.float32]


@njit(cache=True, nogil=True)
def add_pieces(
    raw: NDArray[np.uint16],
    bits: NDArray[np.uint32],
    values: NDArray[np.float32],
    start: int,
    row_size: int,
    digested: tuple[int, int],
    sums: Sums,
) -> int:
    """Add values piece by piece, until the moments of one are not finite: to all other sums it has
    been added by then. Where that piece begins, or how many values there are.

    All is one function, as each that calls others is compiled together with them.

    Parameters
    ----------
    raw : bfloat16 values, or nothing
    bits, values : room for a piece of these, as bits and as values; else nothing, and the values
    start : the flat index of the first value
    digested : values, whole blocks of them, that go to the digests of what is stored in bfloat16,
        and of the values
    """
    size = raw.size if raw.size else values.size
    for first in range(0, size, PIECE):
        if raw.size:
            stored = raw[first : first + PIECE]
            blocks = min(digested[0] - first, PIECE)
            if blocks > 0:
                add_blocks(stored[:blocks].view(np.uint8), sums.stored)
            expand_bfloat16(stored, bits)
            piece = values[: stored.size]
        else:
            piece = values[first : first + PIECE]
        place = start + first
        blocks = min(digested[1] - first, PIECE)
        if blocks > 0:
            add_blocks(piece[:blocks].view(np.uint8), sums.digest)
        if not sums.misfits[0]:
            sums.misfits[0] = not fits_bfloat16(piece.view(np.uint32))
        if not sums.misfits[1]:
            sums.misfits[1] = not fits_float16(piece)
        gather_sample(piece, place, row_size, sums.rows, sums.columns, sums.sample)
        gather_sample(piece, place, row_size, sums.wide_rows, sums.wide_columns, sums.wide)
        if sums.norms.size:
            add_single_norms(piece, place, row_size, sums.norms)
            raise_tops(piece.view(np.int32), place, row_size, sums.rows, sums.tops)
        figures = single_moments(piece)
        # Float32 values that are all finite have a finite sum in float64.
        if not np.isfinite(figures[0]):
            return first
        merge_moments(sums.moments, piece.size, figures)
    return size
