"""A fingerprint as if fewer rows of every matrix had been read.

What was read of a model that is far away must be compared with as little of the others: with the
same rows, as the sample of ``n`` rows holds that of any smaller number.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.fingerprint import (
    AdaptedMatrix,
    Fingerprint,
    TensorFingerprint,
)
from model_heritage_backend.fingerprints.sampling import ROW_SALT, select_indices
from model_heritage_backend.fingerprints.summary import Facts, build_fingerprint, describe_sample
from model_heritage_backend.weights.tensors import DType

Kind = TypeVar("Kind", bound=np.floating)
ADAPTER_NOTES = ("adapter", "incomplete_adapter", "uncompared")
"""That a file's names alone tell."""


def restrict_rows(fingerprint: Fingerprint, rows: int) -> Fingerprint:
    """What ``fingerprint_sampled(weights, rows=rows)`` gives, with the same checksum.

    Parameters
    ----------
    fingerprint : of a whole file, or of samples of as many rows or more
    """
    built = build_fingerprint(
        [_restrict(tensor, rows) for tensor in fingerprint.tensors.values()],
        checksum=fingerprint.checksum,
        level="sampled",
        adapted={name: _restrict_change(m, rows) for name, m in fingerprint.adapted.items()},
        notes=[note for note in fingerprint.quality if note in ADAPTER_NOTES],
    )
    # Layers are counted by names, which an adapter's fingerprint has in other words.
    return replace(built, layer_count=fingerprint.layer_count)


def _restrict(tensor: TensorFingerprint, rows: int) -> Facts:
    kept = tensor.rows
    if len(tensor.shape) >= 2:
        kept = select_indices(tensor.shape[0], rows, ROW_SALT)
    places = np.searchsorted(tensor.rows, kept)
    known = bool(tensor.cells.size)
    return describe_sample(
        name=tensor.name,
        shape=tensor.shape,
        dtype=DType(tensor.dtype),
        bits=tensor.grid_bits if known else None,
        rows=kept,
        columns=tensor.columns,
        sample=tensor.sample[places],
        wide=_keep_rows(tensor.wide, tensor.shape[0], rows) if tensor.wide.size else tensor.wide,
        cells=tensor.cells[:, places] if known else tensor.cells,
        row_absmax=tensor.row_absmax[places],
    )


def _restrict_change(matrix: AdaptedMatrix, rows: int) -> AdaptedMatrix:
    """The rows of a transposed matrix are as many as it has columns."""
    return replace(
        matrix,
        sample=_keep_rows(matrix.sample, matrix.shape[0], rows),
        turned=_keep_rows(matrix.turned, matrix.shape[-1], rows),
    )


def _keep_rows(sample: NDArray[Kind], length: int, rows: int) -> NDArray[Kind]:
    if sample.size == 0:
        return sample
    held = select_indices(length, len(sample), ROW_SALT)
    return sample[np.searchsorted(held, select_indices(length, rows, ROW_SALT))]
