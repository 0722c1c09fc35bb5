"""From what was read of the tensors to the fingerprint."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.fingerprint import (
    AdaptedMatrix,
    Fingerprint,
    Moments,
    TensorFingerprint,
)
from model_heritage_backend.fingerprints.grids import find_grid, name_bits
from model_heritage_backend.fingerprints.kernels import central_powers, fits_bfloat16, piece_moments
from model_heritage_backend.fingerprints.names import count_layers
from model_heritage_backend.fingerprints.sampling import ROW_SALT, mix
from model_heritage_backend.fingerprints.structure import hash_structure, is_parameter
from model_heritage_backend.weights.tensors import FLOAT32_ROUNDOFF, ROUNDOFF, DType

ROUTING_SIZE = 1024


class Facts:
    """What one tensor adds to the model's flags."""

    def __init__(self, fingerprint: TensorFingerprint, bf16: bool, fp16: bool) -> None:
        self.fingerprint = fingerprint
        self.bf16 = bf16
        self.fp16 = fp16


def describe_tensor(
    *,
    name: str,
    shape: tuple[int, ...],
    dtype: DType,
    bits: int | None,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    sample: NDArray[np.floating],
    wide: NDArray[np.floating],
    cells: NDArray[np.float32],
    row_absmax: NDArray[np.float64],
    absmax: float,
    row_norms: NDArray[np.float64],
    byte_digest: str | None,
    value_digest: str | None,
    moments: Moments | None,
) -> TensorFingerprint:
    """One tensor's part of a fingerprint.

    Parameters
    ----------
    bits : of its quantisation where the file tells them; else they are looked for
    absmax : largest magnitude of the whole tensor, or of what was read of it
    row_absmax : of each sampled row, (len(rows),)
    """
    roundoff = ROUNDOFF.get(dtype, FLOAT32_ROUNDOFF)
    per_row = False
    if bits is None:
        bits = 0
        if len(shape) >= 2:
            bits, per_row = find_grid(sample, row_absmax, absmax, roundoff=roundoff)
    return TensorFingerprint(
        name=name,
        shape=shape,
        dtype=dtype.value,
        byte_digest=byte_digest,
        value_digest=value_digest,
        moments=moments,
        rows=rows,
        columns=columns,
        sample=sample,
        wide=wide,
        cells=cells,
        row_absmax=row_absmax,
        row_norms=row_norms,
        grid_bits=bits,
        grid_per_row=per_row,
    )


def describe_sample(
    *,
    name: str,
    shape: tuple[int, ...],
    dtype: DType,
    bits: int | None,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    sample: NDArray[np.floating],
    wide: NDArray[np.floating],
    cells: NDArray[np.float32],
    row_absmax: NDArray[np.float64],
) -> Facts:
    """A tensor of which only a sample was read."""
    with np.errstate(over="ignore"):
        narrow = sample.astype(np.float32)
        bf16 = fits_bfloat16(np.ascontiguousarray(narrow).view(np.uint32).ravel())
        fp16 = bool(np.array_equal(narrow, narrow.astype(np.float16), equal_nan=True))
    exact32 = np.array_equal(sample, narrow, equal_nan=True)
    return Facts(
        describe_tensor(
            name=name,
            shape=shape,
            dtype=dtype,
            bits=bits,
            rows=rows,
            columns=columns,
            sample=narrow if exact32 else sample,
            wide=wide.astype(np.float32) if exact32 else wide,
            cells=cells,
            row_absmax=row_absmax,
            absmax=float(row_absmax.max(initial=0.0)),
            row_norms=np.zeros(0),
            byte_digest=None,
            value_digest=None,
            moments=None,
        ),
        exact32 and bf16,
        exact32 and fp16,
    )


def build_fingerprint(
    facts: Sequence[Facts],
    *,
    checksum: str,
    level: str,
    adapted: Mapping[str, AdaptedMatrix],
    notes: Sequence[str],
) -> Fingerprint:
    """A model's fingerprint from those of its tensors, in the order of their names.

    Parameters
    ----------
    notes : on its quality, beside what the tensors tell
    """
    tensors = {fact.fingerprint.name: fact.fingerprint for fact in facts}
    matrices = [fact for fact in facts if fact.fingerprint.is_matrix]
    sizes = np.array([fact.fingerprint.size for fact in matrices], np.float64)
    zeros = np.array([_share_of_zeros(fact.fingerprint) for fact in matrices])
    bits = name_bits((fact.fingerprint.grid_bits, fact.fingerprint.size) for fact in matrices)
    on_grid = np.array([fact.fingerprint.grid_bits > 0 for fact in matrices], bool)
    total = float(sizes.sum())
    gridded = total > 0 and float(sizes[on_grid].sum()) >= 0.9 * total
    return Fingerprint(
        checksum=checksum,
        level=level,
        tensors=tensors,
        total_parameters=sum(
            t.size for t in tensors.values() if is_parameter(DType(t.dtype), t.shape)
        ),
        layer_count=count_layers(tensors, len(matrices)),
        structural_hash=hash_structure(
            (fact.fingerprint.name, fact.fingerprint.shape) for fact in matrices
        ),
        bf16=bool(matrices) and all(fact.bf16 for fact in matrices),
        fp16=bool(matrices) and all(fact.fp16 for fact in matrices),
        zero_fraction=float((zeros * sizes).sum() / total) if total else 0.0,
        grid_bits=bits if gridded else 0,
        routing=_routing_vector([fact.fingerprint for fact in matrices]),
        quality=_quality(tensors.values(), notes),
        adapted=adapted,
    )


def _share_of_zeros(tensor: TensorFingerprint) -> float:
    if tensor.moments is not None:
        return tensor.moments.zeros
    return float(np.mean(tensor.sample == 0.0)) if tensor.sample.size else 0.0


@lru_cache(64)
def _order_places(size: int) -> NDArray[np.intp]:
    """Sampled values in the order in which they are chosen: by chance, but always the same."""
    with np.errstate(over="ignore"):
        return np.argsort(mix(np.arange(1, size + 1, dtype=np.uint64) * ROW_SALT))


def _routing_vector(matrices: list[TensorFingerprint]) -> NDArray[np.float32]:
    """Standardised sampled values, the same number and places for each matrix of a structure."""
    parts = []
    for index, tensor in enumerate(matrices):
        share = ROUTING_SIZE // len(matrices) + (index < ROUTING_SIZE % len(matrices))
        flat = np.nan_to_num(tensor.sample.astype(np.float64), posinf=0.0, neginf=0.0).ravel()
        order = _order_places(flat.size)
        mean = piece_moments(flat)[0] / flat.size
        spread = math.sqrt(central_powers(flat, mean)[0] / flat.size)
        usable = 0.0 < spread < math.inf
        # As many where nothing can be told: what follows keeps its place.
        kept = min(share, flat.size)
        chosen = flat[order[:share]] - mean if usable else np.zeros(kept)
        parts.append(chosen / spread if usable else chosen)
    return np.concatenate([*parts, np.zeros(0)]).astype(np.float32)


HUGE, TINY = 1e6, 1e-30
"""Largest magnitude of a tensor's values, beyond which training does not come."""


def _quality(tensors: Iterable[TensorFingerprint], known: Sequence[str]) -> tuple[str, ...]:
    notes = set(known)
    for tensor in tensors:
        if tensor.moments is None or tensor.size == 0:
            continue
        if tensor.moments.nonfinite:
            notes.add("nonfinite")
        if tensor.is_matrix and tensor.moments.zeros == 1.0:
            notes.add("all_zero")
        elif tensor.is_matrix and tensor.moments.variance == 0.0:
            notes.add("constant")
        elif tensor.is_matrix and DType(tensor.dtype).is_floating:
            largest = max(abs(tensor.moments.minimum), abs(tensor.moments.maximum))
            notes |= {"huge"} if largest > HUGE else {"tiny"} if 0.0 < largest < TINY else set()
    return tuple(sorted(notes))
