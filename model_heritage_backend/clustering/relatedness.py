"""Are two models related? A hypothesis test with no threshold to tune per lake.

Under the null hypothesis (independently initialised and trained) the centred correlation of two
matrices of one shape is nearly normal with variance 1/n. Pooled over the matrices two models share,
z = sum(r n) / sqrt(sum n) is standard normal; its largest value among tens of thousands of
unrelated pairs was 4.3, while descendants of one root stay above 20. Only matrices take part:
normalisation weights, fixed positions and zero biases correlate between strangers.

Pairs that this does not relate get a second look: their tensors may have other names, their units
another order. That evidence is held to higher limits, because more is tried.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from model_heritage_backend.clustering.alignment import (
    have_common_names,
    match_endings,
)
from model_heritage_backend.clustering.family_routing import count_shapes
from model_heritage_backend.clustering.per_model import PerModel
from model_heritage_backend.clustering.renaming import (
    VALUES_COMPARED,
    guess_names,
    match_values,
    standardise,
)
from model_heritage_backend.clustering.symmetry import find_symmetry
from model_heritage_backend.clustering.symmetry_screen import Key, UnitViews, screen_pairs
from model_heritage_backend.fingerprints import Fingerprint, TensorFingerprint

Z_ABOVE = 8.0
CORRELATION_ABOVE = 0.03
VALUES_PER_MATRIX = 2048
BATCH = 64
"""Models whose values are put side by side for one product."""
RENAMED_ABOVE = 0.1
"""Pooled correlation from which tensors under other names are believed."""


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


def relate_all(fingerprints: Sequence[Fingerprint]) -> NDArray[np.bool_]:
    """Which pairs of models are related, each judged by itself, by both tests: (n, n)."""
    related = calculate_relatedness(fingerprints, fingerprints).related
    for i, j in list_hidden_candidates(fingerprints, fingerprints, np.triu(~related, 1)):
        related[i, j] = related[j, i] = are_hidden_relatives(fingerprints[i], fingerprints[j])
    return related


def list_hidden_candidates(
    first: Sequence[Fingerprint], second: Sequence[Fingerprint], asked: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Pairs that may be related under other names or in another order of units, by cheap screens.

    Parameters
    ----------
    asked : (first, second), pairs that the ordinary test does not relate

    Returns
    -------
    (place in first, place in second), for ``are_hidden_relatives`` to decide
    """
    candidates: list[tuple[int, int]] = []
    for rows in _by_structure(first).values():
        for columns in _by_structure(second).values():
            i, j = np.nonzero(asked[np.ix_(rows, columns)])
            if len(i) == 0 or not _are_alike(first[rows[0]], second[columns[0]]):
                continue
            places = np.stack([np.array(rows)[i], np.array(columns)[j]], 1)
            if _are_named_alike(first[rows[0]], second[columns[0]]):
                places = _screen_units(first, second, places)
            candidates += [(int(i), int(j)) for i, j in places]
    return candidates


def are_hidden_relatives(first: Fingerprint, second: Fingerprint) -> bool:
    """The costly test of one pair; in which order the two are given makes no difference."""
    if (first.structural_hash, first.checksum) > (second.structural_hash, second.checksum):
        first, second = second, first
    if _are_named_alike(first, second):
        return find_symmetry(first.tensors, second.tensors).related
    names = match_values(first, second)
    counts = [second.tensors[name].sample.size for name in names if second.tensors[name].is_matrix]
    agreed = sum(
        float(standardise(first.tensors[known]) @ standardise(second.tensors[name]))
        for name, known in names.items()
        if second.tensors[name].is_matrix
    )
    total = sum(
        min(tensor.sample.size, VALUES_COMPARED)
        for tensor in second.tensors.values()
        if tensor.is_matrix
    )
    if counts and agreed > Z_ABOVE * np.sqrt(total) and agreed > RENAMED_ABOVE * total:
        return True
    # Permuted and renamed: names can only be guessed, which the proof takes or leaves.
    known = names | guess_names(first, second, known=names)
    theirs = {known[name]: tensor for name, tensor in second.tensors.items() if name in known}
    own = {name: tensor for name, tensor in first.tensors.items() if name in theirs}
    views = [UnitViews(own)], [UnitViews(theirs)]
    if not screen_pairs(*views, np.zeros((1, 2), np.int64))[0]:
        return False
    return find_symmetry(own, theirs).related


_view_units = PerModel(lambda fingerprint: UnitViews(fingerprint.tensors))


def _screen_units(
    first: Sequence[Fingerprint], second: Sequence[Fingerprint], places: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The pairs that are worth the costly test."""
    kept = []
    sides = [_by_views(models, places[:, k]) for k, models in enumerate((first, second))]
    for rows, columns in itertools.product(*sides):
        among = np.isin(places[:, 0], rows) & np.isin(places[:, 1], columns)
        local = np.stack(
            [np.searchsorted(rows, places[among, 0]), np.searchsorted(columns, places[among, 1])], 1
        )
        passed = screen_pairs(
            [_view_units(first[i]) for i in rows], [_view_units(second[j]) for j in columns], local
        )
        kept.append(places[among][passed])
    return np.concatenate(kept)


def _by_views(models: Sequence[Fingerprint], places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Places of models that the screen sees in the same views, ascending."""
    groups: dict[frozenset[Key], list[int]] = defaultdict(list)
    for place in np.unique(places):
        groups[frozenset(_view_units(models[place]).views)].append(int(place))
    return [np.array(group) for group in groups.values()]


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
            count = float(x.shape[1])
            for start in range(0, len(columns), BATCH):
                part = columns[start : start + BATCH]
                y = np.stack([_vector(second[j], [name for _, name in shared]) for j in part])
                total = (x @ y.T).astype(np.float64)
                z[np.ix_(rows, part)] = total / np.sqrt(count)
                correlation[np.ix_(rows, part)] = total / count
    return Relatedness(z, correlation)


def find_components(fingerprints: Mapping[str, Fingerprint]) -> list[list[str]]:
    """Families of a set of models: connected components of the relatedness test.

    Returns lists of ids, largest first, each sorted. The result depends on no order.
    """
    ids = sorted(fingerprints)
    ordered = [fingerprints[i] for i in ids]
    related = calculate_relatedness(ordered, ordered).related
    label = _label_components(np.triu(related, 1))
    asked = np.triu(label[:, None] != label[None, :], 1)
    for i, j in list_hidden_candidates(ordered, ordered, asked):
        # Whoever is in one family already need not be asked again.
        if label[i] != label[j] and are_hidden_relatives(ordered[i], ordered[j]):
            label[label == label[j]] = label[i]
    components: dict[int, list[str]] = defaultdict(list)
    for member, group in zip(ids, label, strict=True):
        components[int(group)].append(member)
    return sorted(components.values(), key=lambda group: (-len(group), group))


def _label_components(related: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.asarray(connected_components(related, directed=False)[1], np.int64)


def pair_names(first: Fingerprint, second: Fingerprint) -> dict[str, str]:
    """Name in the second -> name in the first, of relatives whose units may be in another order.

    Where names say nothing, by values, and by what no order changes.
    """
    if _are_named_alike(first, second):
        return {name: name for name in second.tensors}
    names = match_values(first, second)
    return names | guess_names(first, second, known=names)


def _are_named_alike(first: Fingerprint, second: Fingerprint) -> bool:
    return have_common_names(first, second) and have_common_names(second, first)


def _are_alike(first: Fingerprint, second: Fingerprint) -> bool:
    """Whether at least half of either model's matrices have a partner of their shape."""
    own, other = count_shapes(first), count_shapes(second)
    return 2 * (own & other).total() >= max(own.total(), other.total(), 1)


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
        for name, known in match_endings(first.tensors, second.tensors).items()
        if known in first.tensors
        and second.tensors[name].is_matrix
        and first.tensors[known].shape == second.tensors[name].shape
    ]


def _vector(fingerprint: Fingerprint, names: Sequence[str]) -> NDArray[np.float32]:
    """Standardised sampled values of the matrices, one after another: products sum up r times n."""
    parts = _standardise_all(fingerprint)
    vector: NDArray[np.float32] = np.concatenate([parts[name] for name in names])
    return vector


@PerModel
def _standardise_all(fingerprint: Fingerprint) -> dict[str, NDArray[np.float32]]:
    """At most VALUES_PER_MATRIX sampled values of each matrix with mean 0 and variance 1."""
    return {n: _standardise(t) for n, t in fingerprint.tensors.items() if t.is_matrix}


def _standardise(tensor: TensorFingerprint) -> NDArray[np.float32]:
    """0 where constant."""
    flat = tensor.sample.ravel()
    if flat.size > VALUES_PER_MATRIX:
        flat = flat[_spread(flat.size)]
    flat = flat.astype(np.float64)
    if not np.isfinite(flat.sum()):
        flat = np.nan_to_num(flat, posinf=0.0, neginf=0.0)
    flat -= flat.mean()
    top = np.abs(flat).max(initial=0.0)
    if top > 0.0:
        flat /= top
        flat *= np.sqrt(flat.size / (flat @ flat))
    standard: NDArray[np.float32] = flat.astype(np.float32)
    return standard


@cache
def _spread(size: int) -> NDArray[np.int64]:
    """Places of VALUES_PER_MATRIX of so many values."""
    return np.linspace(0, size - 1, VALUES_PER_MATRIX).astype(np.int64)
