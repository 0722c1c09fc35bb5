"""May one model be another with its units in another order? A screen for thousands of pairs.

The proof (symmetry.py) takes milliseconds. Here a few units of each model look for their
counterparts in the other, with the other side of a few matrices as it stands: nearest on some of
the components, tested on the others.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from model_heritage_backend.clustering.units import (
    SPLIT_FROM,
    Block,
    Floats,
    collect_traits,
    is_drawn,
    normalise_rows,
    standardise_columns,
)
from model_heritage_backend.fingerprints import TensorFingerprint

MATRICES_SCREENED = 3
"""Those whose shapes are the rarest: the ends of a network, whose pixels, tokens and classes stand
still, are unlike its blocks."""
FEWEST_TRAITS = 8
SEARCHED = 16
"""Components at most by which counterparts are found; those left over test them."""
QUERIES = {True: 16, False: 8}
"""Units that look for a counterpart, by their traits or in a matrix, and were sampled there."""
Z_ABOVE, Z_ABOVE_FEW = 4.0, 5.0
FEW = 16
"""Components tested, below which what traits have in common in all networks (long rows have large
biases) weighs more.
"""
COSINE_ABOVE = 0.55
"""In a matrix: what strangers learn alike of pixels, tokens and positions stays mostly below.
Units that were not sampled in the other model find nothing: the limit is for those that were."""

Halves = tuple[NDArray[np.float32], NDArray[np.float32]]
Key = tuple[str, int, int, float]
"""Of a view: label, components, units that look, share of all units that are in the sample."""


class UnitViews:
    """Units of one model as the screen sees them.

    ``traits``: by number of units, and whether only what was drawn one by one is among them;
    standardised, as they are put together anew for every structure that has others.
    """

    def __init__(self, tensors: Mapping[str, TensorFingerprint]) -> None:
        self.views: dict[Key, Halves] = {}
        self.traits: dict[tuple[int, bool], dict[str, NDArray[np.float64]]] = {}
        matrices = {name: tensor for name, tensor in tensors.items() if tensor.is_matrix}
        counts = Counter(tensor.shape for tensor in matrices.values())
        rarest = sorted(matrices, key=lambda n: (counts[matrices[n].shape], n))
        for name in rarest[:MATRICES_SCREENED]:
            block = Block.take(matrices[name], wide=False)
            for label, side in ((f"{name}|", block), (f"{name}/", block.turn())):
                if side.values.shape[1] >= SPLIT_FROM:
                    key, halves = _view(label, standardise_columns(side.values), side.shape[0])
                    self.views[key] = halves
        for size in {tensor.shape[0] for tensor in matrices.values()}:
            traits = _standardise(collect_traits(tensors, size))
            self._add_traits((size, False), traits)
            # Where dimensions of one length are in orders of their own, biases and norms mix them.
            drawn = {label: t for label, t in traits.items() if is_drawn(label)}
            if len(drawn) < len(traits):
                self._add_traits((size, True), drawn)

    def _add_traits(self, key: tuple[int, bool], traits: dict[str, NDArray[np.float64]]) -> None:
        if len(traits) >= FEWEST_TRAITS:
            self.traits[key] = traits
            name, halves = self.view_traits(key, sorted(traits))
            self.views[name] = halves

    def view_traits(self, key: tuple[int, bool], labels: Sequence[str]) -> tuple[Key, Halves]:
        """Units by some of their traits."""
        values = np.stack([self.traits[key][label] for label in labels], 1)
        return _view("*" + " ".join(labels), values, key[0])


def _standardise(traits: Mapping[str, Floats]) -> dict[str, NDArray[np.float64]]:
    if not traits:
        return {}
    values = standardise_columns(np.stack(list(traits.values()), 1))
    return dict(zip(traits, np.ascontiguousarray(values.T), strict=True))


def _view(label: str, values: NDArray[np.float64], units: int) -> tuple[Key, Halves]:
    """``values``: standardised, (units in the sample, components)."""
    present = len(values) / units
    queries = min(math.ceil(QUERIES[label[0] == "*"] / present), len(values))
    searched = np.zeros(values.shape[1], bool)
    searched[::2] = True
    searched[2 * SEARCHED :] = False
    search, test = (
        normalise_rows(values[:, chosen]).astype(np.float32) for chosen in (searched, ~searched)
    )
    key = f"{label} {len(values)}/{units}", values.shape[1], queries, present
    return key, (np.ascontiguousarray(search.T), test)


def screen_pairs(
    first: Sequence[UnitViews], second: Sequence[UnitViews], pairs: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which pairs (place in first, place in second) are worth a proof, (pairs,).

    Models of one list have the same tensors.
    """
    passed = np.zeros(len(pairs), bool)
    for key, x, y in _list_common(first, second):
        left = np.flatnonzero(~passed)
        tested = y[1].shape[2]
        z = np.zeros(len(left))
        cosine = np.zeros(len(left))
        _look(*x, *y, pairs[left], key[2], z, cosine)
        enough = COSINE_ABOVE * key[3] if key[0][0] != "*" else 0.0
        passed[left] = (z > (Z_ABOVE_FEW if tested < FEW else Z_ABOVE)) & (cosine > enough)
    return passed


def _list_common(
    first: Sequence[UnitViews], second: Sequence[UnitViews]
) -> Iterator[tuple[Key, Halves, Halves]]:
    """The views that models of both lists have, of all of them."""
    for key in first[0].views.keys() & second[0].views.keys():
        views = [[m.views[key] for m in models] for models in (first, second)]
        yield key, _stack(views[0]), _stack(views[1])
    for kind in first[0].traits.keys() & second[0].traits.keys():
        own, other = first[0].traits[kind].keys(), second[0].traits[kind].keys()
        common = sorted(own & other)
        # Where one lacks a tensor or has another head, the traits that are left are compared.
        if own != other and len(common) >= FEWEST_TRAITS:
            x, y = ([m.view_traits(kind, common) for m in models] for models in (first, second))
            yield x[0][0], _stack([halves for _, halves in x]), _stack([halves for _, halves in y])


def _stack(views: Sequence[Halves]) -> Halves:
    search, test = zip(*views, strict=True)
    return np.stack(search), np.stack(test)


@njit(cache=True, fastmath=True, nogil=True)
def _look(
    x: NDArray[np.float32],
    x_test: NDArray[np.float32],
    y: NDArray[np.float32],
    y_test: NDArray[np.float32],
    pairs: NDArray[np.int64],
    queries: int,
    z: NDArray[np.float64],
    cosine: NDArray[np.float64],
) -> None:
    """For each pair: z and mean cosine of the units that looked and what they found.

    ``x`` and ``y`` are (models, components, units), the tests (models, units, components).
    """
    searched, units = x.shape[1], x.shape[2]
    tested = x_test.shape[2]
    likeness = np.empty(units, np.float32)
    for p in range(len(pairs)):
        a, b = pairs[p, 0], pairs[p, 1]
        total = np.float32(0.0)
        for way in range(2):
            mine, others = (x[a], y[b]) if way == 0 else (y[b], x[a])
            mine_test, others_test = (x_test[a], y_test[b]) if way == 0 else (y_test[b], x_test[a])
            for query in range(queries):
                i = query * units // queries
                likeness[:] = 0.0
                for k in range(searched):
                    value = mine[k, i]
                    for j in range(units):
                        likeness[j] += value * others[k, j]
                at = np.argmax(likeness)
                agreed = np.float32(0.0)
                for k in range(tested):
                    agreed += mine_test[i, k] * others_test[at, k]
                total += agreed
        z[p] = total * np.sqrt(tested / (2.0 * queries))
        cosine[p] = total / (2.0 * queries)
