"""Are two models related? A hypothesis test with no threshold to tune per lake.

Under the null hypothesis (independently initialised and trained) the centred correlation of two
matrices of one shape is nearly normal with variance 1/n. Pooled over the matrices two models share,
z = sum(r n) / sqrt(sum n) is standard normal; its largest value among tens of thousands of
unrelated pairs was 4.3, while descendants of one root stay above 20. Only matrices take part:
normalisation weights, fixed positions and zero biases correlate between strangers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import match_names
from model_heritage_backend.fingerprints import Fingerprint, TensorFingerprint

Z_ABOVE = 8.0
CORRELATION_ABOVE = 0.03
VALUES_PER_MATRIX = 2048


@dataclass(frozen=True)
class Relatedness:
    """All pairs between two lists of models.

    ``z`` (first, second): standard normal for strangers. ``correlation``: pooled, in [-1, 1].
    """

    z: NDArray[np.float64]
    correlation: NDArray[np.float64]

    @property
    def related(self) -> NDArray[np.bool_]:
        return (self.z > Z_ABOVE) & (self.correlation > CORRELATION_ABOVE)


def calculate_relatedness(
    first: Sequence[Fingerprint], second: Sequence[Fingerprint]
) -> Relatedness:
    """Test every model of ``first`` against every model of ``second``.

    Models of one structure are compared by one matrix product.
    """
    z = np.zeros((len(first), len(second)))
    correlation = np.zeros_like(z)
    for rows in _by_structure(first).values():
        for columns in _by_structure(second).values():
            shared = _shared_matrices(first[rows[0]], second[columns[0]])
            if not shared:
                continue
            x = np.stack([_vector(first[i], [known for known, _ in shared]) for i in rows])
            y = np.stack([_vector(second[j], [name for _, name in shared]) for j in columns])
            total = (x @ y.T).astype(np.float64)
            count = float(x.shape[1])
            z[np.ix_(rows, columns)] = total / np.sqrt(count)
            correlation[np.ix_(rows, columns)] = total / count
    return Relatedness(z, correlation)


def find_components(fingerprints: Mapping[str, Fingerprint]) -> list[list[str]]:
    """Families of a set of models: connected components of the relatedness test.

    Returns lists of ids, largest first, each sorted. The result depends on no order.
    """
    ids = sorted(fingerprints)
    ordered = [fingerprints[i] for i in ids]
    related = calculate_relatedness(ordered, ordered).related
    label = np.arange(len(ids))
    for i, j in zip(*np.nonzero(np.triu(related, 1)), strict=True):
        if label[i] != label[j]:
            label[label == label[j]] = label[i]
    components: dict[int, list[str]] = defaultdict(list)
    for member, group in zip(ids, label, strict=True):
        components[int(group)].append(member)
    return sorted(components.values(), key=lambda group: (-len(group), group))


def _by_structure(fingerprints: Sequence[Fingerprint]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for place, fingerprint in enumerate(fingerprints):
        groups[fingerprint.structural_hash].append(place)
    return groups


def _shared_matrices(first: Fingerprint, second: Fingerprint) -> list[tuple[str, str]]:
    """Pairs (name in first, name in second) of matrices that stand for each other."""
    if first.structural_hash == second.structural_hash:
        return [(name, name) for name, tensor in first.tensors.items() if tensor.is_matrix]
    if first.structural_hash > second.structural_hash:
        # Which of the two is the reference may decide what is matched: both orders must agree.
        return [(name, known) for known, name in _shared_matrices(second, first)]
    return [
        (known, name)
        for name, known in match_names(first, second).items()
        if known in first.tensors
        and second.tensors[name].is_matrix
        and first.tensors[known].shape == second.tensors[name].shape
    ]


def _vector(fingerprint: Fingerprint, names: Sequence[str]) -> NDArray[np.float32]:
    """Standardised sampled values of the matrices, one after another: products sum up r times n."""
    parts = [_standardise(fingerprint.tensors[name]) for name in names]
    vector: NDArray[np.float32] = np.concatenate(parts)
    return vector


def _standardise(tensor: TensorFingerprint) -> NDArray[np.float32]:
    """At most VALUES_PER_MATRIX sampled values with mean 0 and variance 1 (0 where constant)."""
    flat = np.nan_to_num(tensor.sample.astype(np.float64), posinf=0.0, neginf=0.0).ravel()
    if flat.size > VALUES_PER_MATRIX:
        flat = flat[np.linspace(0, flat.size - 1, VALUES_PER_MATRIX).astype(np.int64)]
    flat = flat - flat.mean()
    top = np.abs(flat).max(initial=0.0)
    if top > 0.0:
        flat = flat / top
        flat = flat * np.sqrt(flat.size / (flat @ flat))
    standard: NDArray[np.float32] = flat.astype(np.float32)
    return standard
