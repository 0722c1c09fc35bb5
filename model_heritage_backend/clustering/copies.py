"""Copies that can be recomputed: duplicate, cast, pruned, quantised.

Each test asks whether the child follows from the parent by a fixed rule, value by value, on the
samples. Chance does not pass them, so they outweigh every statistical vote.
"""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, Samples, model_roundoff
from model_heritage_backend.clustering.genealogy import Relation
from model_heritage_backend.clustering.per_model import PerModel
from model_heritage_backend.fingerprints import TensorFingerprint
from model_heritage_backend.fingerprints.grids import name_bits
from model_heritage_backend.weights.tensors import FLOAT8_VALUES, ROUNDOFF, DType

CLEAR = 3.0
"""Standard deviations by which a quantised copy's nearest source must be nearer than the others."""
MORE_ZEROS = 0.02
"""A pruned model has at least this much larger a share of zeros than its source."""
SMALLEST_FLOAT16 = 2.0**-24
"""Spacing of float16 values near zero, where their precision is no longer relative."""
WITHIN_STEP = 0.999
"""Share of sampled values that must lie within half a step of the source: in the cell of the
quantisation where the file tells its steps."""


@dataclass(frozen=True)
class Copy:
    """``bits``: of a quantised copy's grid. ``dtype``: of a cast one. ``sources``: how many members
    it may as well have been made from, this one counted.
    """

    relation: Relation
    bits: int | None = None
    dtype: str | None = None
    sources: int = 1


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
    if all(_name_values(first[name]) == _name_values(second[name]) for name in matrices):
        return None
    for test in (_find_cast, _find_pruning, _find_quantisation):
        found = test(family, parent, child, sorted(matrices))
        if found is not None:
            return found if _vectors_follow(family, parent, child) else None
    return None


def keep_nearest_sources(
    family: AlignedFamily, copies: Mapping[tuple[int, int], Copy]
) -> dict[tuple[int, int], Copy]:
    """(source, copy) -> how, each quantised copy with one source.

    What was trained from the true source by a step far below the rounding passes the test as well.
    Rounding errors do not point away from it, so the true source is the nearest; where the others
    are not farther by more than these errors make them seem, the copy says how many there are.
    """
    kept = {pair: copy for pair, copy in copies.items() if copy.relation is not Relation.QUANTIZED}
    sources: dict[int, list[int]] = defaultdict(list)
    for (source, child), copy in copies.items():
        if copy.relation is Relation.QUANTIZED:
            sources[child].append(source)
    for child, candidates in sources.items():
        # What is partly quantised itself has some of the same values, and is no source for it.
        whole = [s for s in candidates if not family.fingerprints[s].is_quantised]
        found = whole or candidates
        distances = {source: _compare_samples(family, source, child)[0] for source in found}
        nearest = min(found, key=lambda source: (distances[source], source))
        rivals = 0
        for other in found:
            step, count = _compare_samples(family, nearest, other)
            noise = 2 * math.sqrt(step * distances[nearest] / max(count, 1))
            rivals += other != nearest and distances[other] - distances[nearest] < CLEAR * noise
        kept[nearest, child] = replace(copies[nearest, child], sources=1 + rivals)
    return kept


def _compare_samples(family: AlignedFamily, a: int, b: int) -> tuple[float, int]:
    """Squared distance of two members' sampled matrices, and the number of values."""
    total, count = 0.0, 0
    for shared in family.shared_matrices(a, b):
        total += float(((shared.first - shared.second) ** 2).sum())
        count += shared.first.size
    return total, count


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
        tensor.shape == second[name].shape and _name_values(tensor) == _name_values(second[name])
        for name, tensor in first.items()
    )


def group_duplicates(family: AlignedFamily) -> list[int]:
    """The first member (by checksum) that holds the same values, for each member."""
    contents = [_name_contents(fingerprint) for fingerprint in family.fingerprints]
    counts = Counter(contents)
    first: dict[frozenset[tuple[str, str]], int] = {}
    groups = []
    for member, tensors in enumerate(family.tensors):
        leader = member
        if counts[contents[member]] > 1:
            key = frozenset((name, _name_values(tensor)) for name, tensor in tensors.items())
            leader = first.setdefault(key, member)
        same = leader == member or are_duplicates(family, leader, member)
        groups.append(leader if same else member)
    return groups


def _name_values(tensor: TensorFingerprint) -> str:
    """Equal for tensors of equal values; from the sample where there is no digest."""
    if tensor.value_digest is not None:
        return tensor.value_digest
    values = np.concatenate([tensor.sample.ravel(), tensor.wide.ravel()]).astype(np.float64)
    return f"sample-{xxhash.xxh3_128_hexdigest((values + 0.0).tobytes())}"


_name_contents = PerModel(
    lambda fingerprint: tuple(sorted(_name_values(t) for t in fingerprint.tensors.values()))
)
"""Equal for models of equal values, whatever their tensors are called."""


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


def round_float8(values: NDArray[np.floating], dtype: DType) -> NDArray[np.float64]:
    """Nearest value of an 8-bit type (ties to the even code), infinite beyond the largest."""
    known = FLOAT8_VALUES[dtype][:128].astype(np.float64)
    known = known[np.isfinite(known)]
    middles = (known[1:] + known[:-1]) / 2
    size = np.abs(values.astype(np.float64))
    code = np.searchsorted(middles, size)
    code += (np.append(middles, np.inf)[code] == size) & (code % 2 == 1)
    beyond = size > known[-1] + (known[-1] - known[-2]) / 2
    rounded: NDArray[np.float64] = np.copysign(np.where(beyond, np.inf, known[code]), values)
    return rounded


ROUNDINGS: dict[str, Callable[[NDArray[np.floating]], NDArray[np.float64]]] = {
    "BF16": round_bfloat16,
    "F16": round_float16,
    "F32": round_float32,
    "F8_E4M3": functools.partial(round_float8, dtype=DType.F8_E4M3),
    "F8_E5M2": functools.partial(round_float8, dtype=DType.F8_E5M2),
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
        **dict.fromkeys(("F8_E4M3", "F8_E5M2"), _may_be_float8(family.get_sample(child, names[0]))),
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


def _may_be_float8(sample: Samples) -> bool:
    """Whether values have so few digits as 8 bits allow: a float32's last 20 places are zero."""
    bits = sample.astype(np.float32).view(np.uint32)
    return bool(bits.any() and not (bits & np.uint32(0xFFFFF)).any())


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
    """Quantised matrices lie within half a step of the source; all others are unchanged.

    Where the file does not say what was quantised, these are at least half of the model.
    """
    copy = family.fingerprints[child]
    quantised: list[tuple[int, int]] = []
    total = sum(family.tensors[child][name].size for name in names)
    for name in names:
        before, after = family.tensors[parent][name], family.tensors[child][name]
        if before.value_digest is not None and before.value_digest == after.value_digest:
            continue
        if not after.grid_bits and _is_rounded(family, parent, child, name):
            continue
        if not after.grid_bits or (before.grid_bits and before.grid_bits <= after.grid_bits):
            return None
        if after.cells.size:
            if not _lies_in_cells(family.get_sample(parent, name), after):
                return None
            quantised.append((after.grid_bits, after.size))
            continue
        delta = np.abs(family.get_sample(child, name) - family.get_sample(parent, name))
        slack = 2 * model_roundoff(copy) * np.abs(family.get_sample(child, name)) + 1e-12
        near = delta <= 0.505 * _steps(after) + slack
        if near.mean() < WITHIN_STEP:
            return None
        quantised.append((after.grid_bits, after.size))
    told = any(family.tensors[child][name].cells.size for name in names)
    enough = quantised if told else 2 * sum(size for _, size in quantised) >= total
    return Copy(Relation.QUANTIZED, bits=name_bits(quantised)) if enough else None


def _is_rounded(family: AlignedFamily, parent: int, child: int, name: str) -> bool:
    """Whether a matrix was only cast: quantising programs leave some in bf16 or fp16."""
    rounding = ROUNDINGS.get(family.tensors[child][name].dtype)
    return rounding is not None and np.array_equal(
        rounding(family.get_sample(parent, name)), family.get_sample(child, name)
    )


def _lies_in_cells(source: Samples, copy: TensorFingerprint) -> bool:
    """Whether the source's values are such as are rounded to the copy's."""
    first, last = copy.cells.astype(np.float64)
    known = ~(np.isnan(first) | np.isnan(last))
    # The source may have been rounded to fp16 on the way.
    slack = 2 * ROUNDOFF[DType.F16] * np.abs(source) + SMALLEST_FLOAT16
    inside = (first - slack <= source) & (source <= last + slack)
    return bool(2 * known.sum() >= known.size and inside[known].mean() >= WITHIN_STEP)


def _steps(tensor: TensorFingerprint) -> NDArray[np.float64]:
    """Grid step of each sampled row, (rows, 1)."""
    levels = 2 ** (tensor.grid_bits - 1) - 1
    top = tensor.row_absmax
    if not tensor.grid_per_row and tensor.moments is not None:
        top = np.full_like(top, max(abs(tensor.moments.minimum), abs(tensor.moments.maximum)))
    steps: NDArray[np.float64] = top[:, None] / levels
    return steps
