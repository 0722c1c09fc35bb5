"""Copies that can be recomputed: duplicate, cast, pruned, quantised.

Each test asks whether the child follows from the parent by a fixed rule, value by value, on the
samples. Chance does not pass them, so they outweigh every statistical vote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, model_roundoff
from model_heritage_backend.clustering.genealogy import Relation
from model_heritage_backend.fingerprints import TensorFingerprint
from model_heritage_backend.weights.tensors import ROUNDOFF, DType

MORE_ZEROS = 0.02
"""A pruned model has at least this much larger a share of zeros than its source."""
SMALLEST_FLOAT16 = 2.0**-24
"""Spacing of float16 values near zero, where their precision is no longer relative."""
WITHIN_STEP = 0.999
"""Share of sampled values that must lie within half a step of the source."""


@dataclass(frozen=True)
class Copy:
    """``bits``: of a quantised copy's grid. ``dtype``: of a cast one."""

    relation: Relation
    bits: int | None = None
    dtype: str | None = None


def find_copy(family: AlignedFamily, parent: int, child: int) -> Copy | None:
    """How the child can be recomputed from the parent, or None."""
    first, second = family.tensors[parent], family.tensors[child]
    matrices = {name for name, tensor in second.items() if tensor.is_matrix}
    if not matrices or matrices != {name for name, t in first.items() if t.is_matrix}:
        return None
    if any(first[name].shape != second[name].shape for name in matrices):
        return None
    if are_duplicates(family, parent, child):
        return Copy(Relation.DUPLICATE)
    if all(first[name].value_digest == second[name].value_digest for name in matrices):
        return None
    for test in (_find_cast, _find_pruning, _find_quantisation):
        found = test(family, parent, child, sorted(matrices))
        if found is not None:
            return found if _vectors_follow(family, parent, child) else None
    return None


def _vectors_follow(family: AlignedFamily, parent: int, child: int) -> bool:
    """Whether biases and the like are the source's own, up to the rounding of the copy's dtype."""
    rounding = 2 * model_roundoff(family.fingerprints[child])
    for shared in family.shared_vectors(parent, child):
        dtype = DType(family.tensors[child][shared.name].dtype)
        tolerance = max(rounding, 2 * ROUNDOFF.get(dtype, 0.0)) * np.abs(shared.first)
        tolerance = tolerance + (SMALLEST_FLOAT16 if rounding == 2 * ROUNDOFF[DType.F16] else 0.0)
        if not shared.equal and (np.abs(shared.second - shared.first) > tolerance).any():
            return False
    return True


def are_duplicates(family: AlignedFamily, a: int, b: int) -> bool:
    """Whether all tensors hold the same values, whatever their dtype and file.

    Of fingerprints without digests, whether all sampled values are the same.
    """
    first, second = family.tensors[a], family.tensors[b]
    if first.keys() != second.keys():
        return False
    return all(
        tensor.shape == second[name].shape and name_values(tensor) == name_values(second[name])
        for name, tensor in first.items()
    )


def name_values(tensor: TensorFingerprint) -> str:
    """Equal for tensors of equal values; from the sample where there is no digest."""
    if tensor.value_digest is not None:
        return tensor.value_digest
    values = np.concatenate([tensor.sample.ravel(), tensor.wide.ravel()]).astype(np.float64)
    return f"sample-{xxhash.xxh3_128_hexdigest((values + 0.0).tobytes())}"


def round_bfloat16(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Nearest bfloat16 (ties to even) of finite values."""
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    rounded = (
        (bits + np.uint64(0x7FFF) + ((bits >> np.uint64(16)) & np.uint64(1))) >> np.uint64(16)
    ) << np.uint64(16)
    return rounded.astype(np.uint32).view(np.float32).astype(np.float64)


def round_float16(values: NDArray[np.floating]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return values.astype(np.float16).astype(np.float64)


def round_float32(values: NDArray[np.floating]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return values.astype(np.float32).astype(np.float64)


ROUNDINGS: dict[str, Callable[[NDArray[np.floating]], NDArray[np.float64]]] = {
    "BF16": round_bfloat16,
    "F16": round_float16,
    "F32": round_float32,
}


def _find_cast(family: AlignedFamily, parent: int, child: int, names: list[str]) -> Copy | None:
    source, copy = family.fingerprints[parent], family.fingerprints[child]
    wide, still_wide = (
        any(family.tensors[member][name].sample.dtype == np.float64 for name in names)
        for member in (parent, child)
    )
    possible = {
        "BF16": copy.bf16 and not source.bf16,
        "F16": copy.fp16 and not source.fp16,
        "F32": wide and not still_wide,
    }
    for dtype, may_be in possible.items():
        rounding = ROUNDINGS[dtype]
        if may_be and all(
            np.array_equal(
                rounding(family.get_sample(parent, name)), family.get_sample(child, name)
            )
            for name in names
        ):
            return Copy(Relation.CAST, dtype=dtype)
    return None


def _find_pruning(family: AlignedFamily, parent: int, child: int, names: list[str]) -> Copy | None:
    source, copy = family.fingerprints[parent], family.fingerprints[child]
    if copy.zero_fraction <= source.zero_fraction + MORE_ZEROS:
        return None
    for name in names:
        before, after = family.get_sample(parent, name), family.get_sample(child, name)
        kept = after != 0
        tolerance = 2 * model_roundoff(copy) * np.abs(before).max(initial=0.0)
        if np.abs(after - before)[kept].max(initial=0.0) > tolerance:
            return None
    return Copy(Relation.PRUNED)


def _find_quantisation(
    family: AlignedFamily, parent: int, child: int, names: list[str]
) -> Copy | None:
    """Quantised matrices lie within half a step of the source; all others are unchanged."""
    copy = family.fingerprints[child]
    quantised = 0
    bits = 0
    total = sum(family.tensors[child][name].size for name in names)
    for name in names:
        before, after = family.tensors[parent][name], family.tensors[child][name]
        if before.value_digest is not None and before.value_digest == after.value_digest:
            continue
        if not after.grid_bits or (before.grid_bits and before.grid_bits <= after.grid_bits):
            return None
        delta = np.abs(family.get_sample(child, name) - family.get_sample(parent, name))
        slack = 2 * model_roundoff(copy) * np.abs(family.get_sample(child, name)) + 1e-12
        near = delta <= 0.505 * _steps(after) + slack
        if near.mean() < WITHIN_STEP:
            return None
        quantised += after.size
        bits = max(bits, after.grid_bits)
    return Copy(Relation.QUANTIZED, bits=bits) if 2 * quantised >= total else None


def _steps(tensor: TensorFingerprint) -> NDArray[np.float64]:
    """Grid step of each sampled row, (rows, 1)."""
    levels = 2 ** (tensor.grid_bits - 1) - 1
    top = tensor.row_absmax
    if not tensor.grid_per_row and tensor.moments is not None:
        top = np.full_like(top, max(abs(tensor.moments.minimum), abs(tensor.moments.maximum)))
    steps: NDArray[np.float64] = top[:, None] / levels
    return steps
