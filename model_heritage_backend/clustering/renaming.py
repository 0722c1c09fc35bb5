"""Tensors under other names: matched by their values, where no name tells.

Equal shapes are sampled at equal places, so a tensor and its descendant correlate wherever they
are. The order of tensors in a file proves nothing and is not used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.assignment import assign
from model_heritage_backend.fingerprints import Fingerprint, TensorFingerprint

LINKED_ABOVE = 6.5
"""Standard deviations from which two matrices are taken for the same: among all pairs of shapes of
two strangers with a hundred matrices one in a million lies above."""
VALUES_COMPARED = 512
VECTOR_GAP = 0.7
"""A vector's counterpart is at most this share as far away as the next."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Tensors = Mapping[str, TensorFingerprint]
Vectors = NDArray[np.float64]


def match_values(reference: Fingerprint, other: Fingerprint) -> dict[str, str]:
    """Name in ``other`` -> name in ``reference``, one to one, where values settle it.

    Matrices first; then vectors: those beside matched matrices under the same last word, then
    those that are nearest to each other by far. Nothing is matched between strangers.
    """
    names: dict[str, str] = {}
    for _, known, free in _group(reference.tensors, other.tensors, matrices=True):
        x = np.stack([standardise(reference.tensors[name]) for name in known])
        y = np.stack([standardise(other.tensors[name]) for name in free])
        likeness = y @ x.T / np.sqrt(x.shape[1])
        for i, j in _find_mutual(likeness):
            if likeness[i, j] > LINKED_ABOVE:
                names[free[i]] = known[j]
    if names:
        names |= _match_neighbours(reference.tensors, other.tensors, names)
        names |= _match_vectors(reference.tensors, other.tensors, names)
    return names


def standardise(tensor: TensorFingerprint) -> Vectors:
    """Some of the sampled values with mean 0 and variance 1 (0 where constant)."""
    flat: Vectors = _clean(tensor.sample).ravel()
    if flat.size > VALUES_COMPARED:
        flat = flat[np.linspace(0, flat.size - 1, VALUES_COMPARED).astype(np.int64)]
    flat = flat - flat.mean()
    top = np.abs(flat).max(initial=0.0)
    if top == 0.0:
        return flat
    flat = flat / top
    flat *= np.sqrt(flat.size / (flat @ flat))
    return flat


def _match_neighbours(
    reference: Tensors, other: Tensors, names: Mapping[str, str]
) -> dict[str, str]:
    """A bias belongs to its weight: "a.weight" -> "b.weight" takes "a.bias" to "b.bias"."""
    found: dict[str, str] = {}
    for name, known in names.items():
        stem, _, _ = name.rpartition(".")
        home, _, _ = known.rpartition(".")
        beside = {n.rpartition(".")[2]: n for n in other if stem and n.rpartition(".")[0] == stem}
        for last, neighbour in beside.items():
            target = f"{home}.{last}"
            if neighbour in names or target not in reference or target in names.values():
                continue
            if reference[target].shape == other[neighbour].shape and target not in found.values():
                found[neighbour] = target
    return found


def _match_vectors(reference: Tensors, other: Tensors, names: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    rest = {n: t for n, t in reference.items() if n not in set(names.values())}
    free_tensors = {n: t for n, t in other.items() if n not in names}
    for _, known, free in _group(rest, free_tensors, matrices=False):
        x, y = (
            np.stack([_clean(tensors[n].sample).ravel() for n in group])
            for tensors, group in ((rest, known), (free_tensors, free))
        )
        distances = ((y[:, None] - x[None]) ** 2).sum(2)
        for i, j in _find_mutual(-distances):
            others = np.delete(distances[i], j), np.delete(distances[:, j], i)
            second = min((float(o.min()) for o in others if o.size), default=np.inf)
            near = distances[i, j] <= VECTOR_GAP * (x[j] @ x[j])
            if near and distances[i, j] < VECTOR_GAP**2 * second:
                found[free[i]] = known[j]
    return found


def _group(
    reference: Tensors, other: Tensors, *, matrices: bool
) -> Iterator[tuple[tuple[int, ...], Sequence[str], Sequence[str]]]:
    """(shape, names in the reference, names in the other) of tensors that are alike in shape."""
    groups: dict[tuple[int, ...], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for place, tensors in enumerate((reference, other)):
        for name in sorted(tensors):
            tensor = tensors[name]
            if tensor.is_matrix == matrices and tensor.sample.size > 1:
                groups[tensor.shape][place].append(name)
    for shape, (known, free) in sorted(groups.items()):
        if known and free and reference[known[0]].sample.shape == other[free[0]].sample.shape:
            yield shape, known, free


def _find_mutual(likeness: NDArray[np.float64]) -> list[tuple[int, int]]:
    """(row, column) of pairs that are each other's best."""
    best, back = likeness.argmax(1), likeness.argmax(0)
    return [(i, int(j)) for i, j in enumerate(best) if back[j] == i]


def _clean(values: NDArray[np.floating]) -> Vectors:
    return np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)


def guess_names(
    reference: Fingerprint, other: Fingerprint, *, known: Mapping[str, str]
) -> dict[str, str]:
    """Name in ``other`` -> name in ``reference`` by what no order of units changes.

    Tensors of one shape are told apart by their moments and the norms of their rows: good enough
    between near relatives, and no evidence at all. One to one; where one model has more tensors of
    a shape, some are left out. Those in ``known`` are settled.
    """
    names: dict[str, str] = {}
    taken = set(known.values())
    left = {name: tensor for name, tensor in reference.tensors.items() if name not in taken}
    rest = {name: tensor for name, tensor in other.tensors.items() if name not in known}
    for matrices in (True, False):
        for _, wanted, free in _group(left, rest, matrices=matrices):
            x = np.stack([_describe(left[name]) for name in wanted])
            y = np.stack([_describe(rest[name]) for name in free])
            spread = np.concatenate([x, y]).std(0)
            scale = np.where(spread > 0.0, spread, 1.0)
            costs = np.abs((y[:, None] - x[None]) / scale).sum(2)
            rows, columns = assign(costs)
            names |= {free[int(i)]: wanted[int(j)] for i, j in zip(rows, columns, strict=True)}
    return names


def measure_unlikeness(first: Fingerprint, second: Fingerprint) -> float:
    """How much two relatives differ in what no order of units and no names change, >= 0.

    Mean difference of their tensors' log spreads and log norms of rows, over tensors of one shape,
    each with the one most like it.
    """
    costs: list[float] = []
    for _, known, free in _group(first.tensors, second.tensors, matrices=True):
        x = np.stack([_describe(first.tensors[name]) for name in known])
        y = np.stack([_describe(second.tensors[name]) for name in free])
        differences = np.abs(y[:, None] - x[None]).mean(2)
        rows, columns = assign(differences)
        costs += list(differences[rows, columns])
    return float(np.mean(costs)) if costs else np.inf


def _describe(tensor: TensorFingerprint) -> Vectors:
    """Figures that do not depend on the order of rows and columns."""
    moments = tensor.moments
    if moments is None:
        return np.zeros(1)
    spread = np.sqrt(moments.variance) + 1e-30
    figures = [
        np.log(spread),
        moments.mean / spread,
        np.arcsinh(moments.skewness),
        np.arcsinh(moments.kurtosis),
        np.log(max(abs(moments.minimum), abs(moments.maximum)) / spread + 1e-30),
    ]
    if tensor.row_norms.size:
        figures += list(np.quantile(np.log(tensor.row_norms + 1e-30), QUANTILES) / 2)
    return np.array(figures)
