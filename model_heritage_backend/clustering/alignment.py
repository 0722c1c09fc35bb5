"""Which tensor of one model is which tensor of another.

Canonical names settle it for copies and descendants of one code base. Where a file was re-saved
under other names, the values do, and then the longest common ending of the names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.clustering.per_model import PerTensors
from model_heritage_backend.clustering.renaming import match_values
from model_heritage_backend.fingerprints import Fingerprint, TensorFingerprint
from model_heritage_backend.weights.tensors import DType

Found = TypeVar("Found")
Samples = NDArray[np.float64]
MatrixShapes = tuple[tuple[str, tuple[int, ...]], ...]
LARGEST, SMALLEST = float(np.finfo(np.float32).max), 2.0**-149
"""Range of float32. Numbers beyond it are no weights, and their squares could not be summed up."""
EXTENSION_AT_LEAST = 0.75
"""A matrix whose rows were extended keeps at least this share of the larger's rows."""


def match_names(reference: Fingerprint, other: Fingerprint) -> dict[str, str]:
    """Canonical name in ``other`` -> the name in ``reference`` it stands for.

    Names that both know stand for themselves. If these are fewer than half of the matrices, tensors
    of equal shape are matched by their values, and what that leaves open by names. The order of
    tensors does not matter.
    """
    if have_common_names(reference, other):
        return {name: name for name in other.tensors}
    by_value = match_values(reference, other)
    known = {n: t for n, t in reference.tensors.items() if n not in set(by_value.values())}
    free = {n: t for n, t in other.tensors.items() if n not in by_value}
    names = by_value | match_endings(known, free)
    used = set(by_value.values())
    # A name that means another tensor in the reference must not be taken for that one.
    return {n: f"{k} (other)" if n not in by_value and k in used else k for n, k in names.items()}


def _rename_tensors(reference: Fingerprint, member: Fingerprint) -> Mapping[str, TensorFingerprint]:
    """By common name; the member's own mapping where nothing is renamed, as in most families."""
    if have_common_names(reference, member):
        return member.tensors
    names = match_names(reference, member)
    return {names[n]: t for n, t in member.tensors.items() if n in names}


@PerTensors
def _list_names(tensors: Mapping[str, TensorFingerprint]) -> frozenset[tuple[str, str]]:
    return frozenset((common, tensor.name) for common, tensor in tensors.items())


@PerTensors
def _list_shapes(tensors: Mapping[str, TensorFingerprint]) -> MatrixShapes:
    return tuple(sorted((name, t.shape) for name, t in tensors.items() if t.is_matrix))


class Shaped(Protocol):
    """What is told of a tensor by its name and shape alone."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def is_matrix(self) -> bool: ...


def match_endings(reference: Mapping[str, Shaped], other: Mapping[str, Shaped]) -> dict[str, str]:
    """The same by names and shapes alone: names of equal shape by the longest common ending, where
    that is unambiguous on both sides.
    """
    same = {name: name for name in other if name in reference}
    matrices = [name for name, tensor in other.items() if tensor.is_matrix]
    if matrices and 2 * sum(name in same for name in matrices) >= len(matrices):
        return same | {name: name for name in other}
    names = dict(same)
    free = sorted(other.keys() - same.keys())
    by_shape: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name in sorted(reference.keys() - same.keys()):
        by_shape[reference[name].shape].append(name)
    pairs: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for name in free:
        for known in by_shape[other[name].shape]:
            pairs[_common_ending(name, known)].append((name, known))
    settled: set[str] = set()
    taken: set[str] = set()
    for length in sorted(pairs.keys() - {0}, reverse=True):
        rivals = [(n, k) for n, k in pairs[length] if n not in settled and k not in taken]
        claims = Counter(name for name, _ in rivals)
        claimed = Counter(known for _, known in rivals)
        names |= {n: k for n, k in rivals if claims[n] == claimed[k] == 1}
        # A name whose best ending is ambiguous is not given a worse one.
        settled |= claims.keys()
        taken |= claimed.keys()
    return names | {name: name for name in free if name not in names}


def have_common_names(first: Fingerprint, second: Fingerprint) -> bool:
    """Whether at least half of the second model's matrices are known to the first by name.

    A name known of another width, as of running numbers where a tensor was left out, says nothing.
    """
    if first.structural_hash == second.structural_hash:
        return True
    matrices = {name: tensor for name, tensor in second.tensors.items() if tensor.is_matrix}
    known = (
        name in first.tensors and first.tensors[name].shape[1:] == tensor.shape[1:]
        for name, tensor in matrices.items()
    )
    return 2 * sum(known) >= len(matrices)


def _common_ending(first: str, second: str) -> int:
    """Number of equal last components."""
    count = 0
    for x, y in zip(reversed(first.split(".")), reversed(second.split(".")), strict=False):
        if x != y:
            break
        count += 1
    return count


@PerTensors
def _list_wide(tensors: Mapping[str, TensorFingerprint]) -> frozenset[str]:
    return frozenset(name for name, tensor in tensors.items() if tensor.wide.size)


@dataclass(frozen=True)
class AlignedFamily:
    """Fingerprints of one family under common tensor names, in an order of its own.

    Members are ordered by checksum, so nothing downstream depends on the order of arrival.

    Attributes
    ----------
    ids : model ids, in order
    fingerprints : in the same order
    tensors : per member, common name -> tensor fingerprint
    """

    ids: tuple[str, ...]
    fingerprints: tuple[Fingerprint, ...]
    tensors: tuple[Mapping[str, TensorFingerprint], ...]

    @classmethod
    def build(cls, fingerprints: Mapping[str, Fingerprint]) -> AlignedFamily:
        ids = sorted(fingerprints, key=lambda i: (fingerprints[i].checksum, i))
        ordered = [fingerprints[i] for i in ids]
        structures = Counter(f.structural_hash for f in ordered)
        reference = min(
            ordered, key=lambda f: (-structures[f.structural_hash], f.structural_hash, f.checksum)
        )
        tensors = tuple(_rename_tensors(reference, member) for member in ordered)
        return cls(tuple(ids), tuple(ordered), tensors)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def matrix_names(self) -> tuple[str, ...]:
        """Common names of all matrices, sorted."""
        names = {name for shapes in set(self.shapes) for name, _ in shapes}
        return tuple(sorted(names))

    @cached_property
    def shapes(self) -> tuple[MatrixShapes, ...]:
        """Each member's matrices as (common name, shape), sorted."""
        return self.describe(_list_shapes)

    def describe(self, measure: PerTensors[Found]) -> tuple[Found, ...]:
        """What is told of each member's tensors by their common names."""
        return tuple(map(measure, self.fingerprints, self.tensors))

    @cached_property
    def shuffled_names(self) -> tuple[str, ...]:
        """The same in an order of their own: the first few stand for all of them."""
        return tuple(
            sorted(self.matrix_names, key=lambda n: (xxhash.xxh3_64_intdigest(n.encode()), n))
        )

    @cached_property
    def wide_names(self) -> tuple[str, ...]:
        """Those of matrices with a wide sample in any member, shuffled."""
        wide = frozenset[str]().union(*self.describe(_list_wide))
        return tuple(name for name in self.shuffled_names if name in wide)

    @cached_property
    def names(self) -> tuple[frozenset[tuple[str, str]], ...]:
        """Each member's tensors as (common name, its own name)."""
        return self.describe(_list_names)

    @cached_property
    def marks(self) -> tuple[int, ...]:
        """What samples of a member are compared by, besides its checksum: names, and its level."""
        return tuple(
            hash((names, fingerprint.level))
            for names, fingerprint in zip(self.names, self.fingerprints, strict=True)
        )

    def name_members(self, *members: int) -> Hashable:
        """What some members are known by: the models, and the names by which they are compared.

        Common names say which tensors stand for each other, and may change as families grow.
        """
        marks = hash(tuple(self.marks[m] for m in members))
        return (*(self.fingerprints[m].checksum for m in members), marks)

    @cached_property
    def roundoff(self) -> NDArray[np.float64]:
        """Unit roundoff of each member's stored values."""
        return np.array([model_roundoff(f) for f in self.fingerprints])

    def get_sample(self, member: int, name: str) -> Samples:
        """The member's sample of a tensor, as ``limit_values`` leaves it."""
        return limit_values(self.tensors[member][name].sample)

    def get_wide(self, member: int, name: str) -> Samples | None:
        """The member's wide sample of a matrix, likewise; None where there is none."""
        tensor = self.tensors[member].get(name)
        return None if tensor is None or tensor.wide.size == 0 else limit_values(tensor.wide)

    def get_shared(self, a: int, b: int, name: str) -> SharedMatrix | None:
        """The part of a matrix that two members have in common; None when there is none."""
        first, second = self.tensors[a].get(name), self.tensors[b].get(name)
        if first is None or second is None or not (first.is_matrix and second.is_matrix):
            return None
        if first.shape == second.shape:
            equal = first.value_digest is not None and first.value_digest == second.value_digest
            x, y = self.get_sample(a, name), self.get_sample(b, name)
            return SharedMatrix(name, x, y, first.size, equal, extended=0)
        return self._get_extended(a, b, name, first, second)

    def _get_extended(
        self, a: int, b: int, name: str, first: TensorFingerprint, second: TensorFingerprint
    ) -> SharedMatrix | None:
        """Matrices that differ in their number of rows only, e.g. an extended vocabulary."""
        rows, others = first.shape[0], second.shape[0]
        if first.shape[1:] != second.shape[1:]:
            return None
        if min(rows, others) < EXTENSION_AT_LEAST * max(rows, others):
            return None
        _, i, j = np.intersect1d(first.rows, second.rows, return_indices=True)
        if len(i) < 2:
            return None
        x, y = self.get_sample(a, name)[i], self.get_sample(b, name)[j]
        if ((x - y) ** 2).sum() >= 0.5 * ((x * x).sum() + (y * y).sum()):
            return None
        size = min(first.size, second.size)
        return SharedMatrix(name, x, y, size, bool(np.array_equal(x, y)), np.sign(others - rows))

    def shared_vectors(self, a: int, b: int) -> Sequence[SharedMatrix]:
        """Tensors of one dimension that both have, each as one row."""
        found = []
        for name, first in self.tensors[a].items():
            second = self.tensors[b].get(name)
            if len(first.shape) != 1 or second is None or first.shape != second.shape:
                continue
            if first.size > 1 and DType(first.dtype).is_floating:
                equal = first.value_digest is not None and first.value_digest == second.value_digest
                x, y = self.get_sample(a, name).T, self.get_sample(b, name).T
                found.append(SharedMatrix(name, x, y, first.size, equal, extended=0))
        return found

    def shared_matrices(self, a: int, b: int) -> Sequence[SharedMatrix]:
        found = (self.get_shared(a, b, name) for name in self.matrix_names)
        return [shared for shared in found if shared is not None]


@dataclass(frozen=True)
class SharedMatrix:
    """One tensor in two models: samples at the same places, and how many values they stand for.

    ``extended`` is +1 when the second model has more rows, -1 when the first has, else 0.
    """

    name: str
    first: Samples
    second: Samples
    size: int
    equal: bool
    extended: int


def limit_values(values: NDArray[np.floating]) -> Samples:
    """As float64, without what breaks sums of squares: what is not finite or too small becomes 0,
    what is too large the largest number of float32.
    """
    wide = values.astype(np.float64)
    # Most tensors hold ordinary numbers only.
    if values.dtype != np.float64:
        if np.isfinite(wide.sum()):
            return wide
    else:
        size = np.abs(wide)
        if size.max(initial=0.0) <= LARGEST and not ((size < SMALLEST) & (size > 0.0)).any():
            return wide
    finite: Samples = np.nan_to_num(wide, posinf=0.0, neginf=0.0)
    limited = np.clip(finite, -LARGEST, LARGEST)
    limited[np.abs(limited) < SMALLEST] = 0.0
    return limited


def model_roundoff(fingerprint: Fingerprint) -> float:
    """Unit roundoff of a model's values: 2^-9 bfloat16, 2^-12 float16, 2^-24 otherwise."""
    if fingerprint.bf16:
        return 2.0**-9
    return 2.0**-12 if fingerprint.fp16 else 2.0**-24
