"""A thousand bytes of each model by which relatives are found among very many.

A route is the fingerprint's routing vector, rounded to 8 bits: standardised values of the matrices
at places that all models of one structure share. Models of different structures are compared by the
values that they have of matrices of one name and shape. A route proposes; whether two models are
related is for the test on their whole fingerprints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import match_endings
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.fingerprints.sampling import SAMPLE_SIZE
from model_heritage_backend.fingerprints.structure import is_matrix
from model_heritage_backend.fingerprints.summary import ROUTING_SIZE

Routes = NDArray[np.int8]
Structures = NDArray[np.int64]
SCALE = 32
"""Steps per standard deviation: what lies beyond four of these is cut off."""
LARGEST = 127


@dataclass(frozen=True)
class Place:
    """Where a route has its values of one matrix."""

    name: str
    shape: tuple[int, ...]
    start: int
    count: int

    @property
    def is_matrix(self) -> bool:
        return is_matrix(self.shape)


@dataclass(frozen=True)
class Layout:
    """What the routes of one structure hold. ``places`` are in the order of the matrices."""

    structure: str
    places: tuple[Place, ...]

    @classmethod
    def build(cls, structure: str, matrices: Sequence[tuple[str, tuple[int, ...]]]) -> Layout:
        """From a structural hash and the names and shapes of its matrices, in their order."""
        places = []
        start = 0
        for number, (name, shape) in enumerate(matrices):
            share = ROUTING_SIZE // len(matrices) + (number < ROUTING_SIZE % len(matrices))
            rest = int(np.prod(shape[1:], dtype=np.int64))
            count = min(share, min(shape[0], SAMPLE_SIZE) * min(rest, SAMPLE_SIZE))
            places.append(Place(name, shape, start, count))
            start += count
        return cls(structure, tuple(places))

    @property
    def count(self) -> int:
        """Values of a route that mean something."""
        return sum(place.count for place in self.places)

    @cached_property
    def shapes(self) -> frozenset[tuple[int, ...]]:
        return frozenset(place.shape for place in self.places)

    @cached_property
    def by_name(self) -> Mapping[str, Place]:
        return {place.name: place for place in self.places}


@dataclass(frozen=True)
class RouteBlock:
    """The routes of all models of one structure.

    Attributes
    ----------
    source : (any number, ROUTING_SIZE), where routes lie, which may be a file
    places : in ``source``, of the models ``ids``
    """

    layout: Layout
    ids: Sequence[str]
    source: Routes
    places: NDArray[np.int64]

    def take(self, which: NDArray[np.int64] | slice) -> Routes:
        """The routes of some of the models, by their number in ``ids``."""
        taken: Routes = self.source[self.places[which]]
        return taken


def list_matrices(fingerprint: Fingerprint) -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the matrices, in their order."""
    return [(name, t.shape) for name, t in fingerprint.tensors.items() if t.is_matrix]


def encode_route(fingerprint: Fingerprint) -> Routes:
    """(ROUTING_SIZE,); zeros where nothing is known."""
    route = np.zeros(ROUTING_SIZE, np.int8)
    values = np.nan_to_num(fingerprint.routing, posinf=0.0, neginf=0.0)
    layout = Layout.build(fingerprint.structural_hash, list_matrices(fingerprint))
    if len(values) == layout.count:
        route[: len(values)] = np.clip(np.rint(values * SCALE), -LARGEST, LARGEST)
    return route


@lru_cache(maxsize=65_536)
def pair_places(first: Layout, second: Layout) -> tuple[tuple[int, int, int], ...]:
    """Values that the routes of two structures have of the same matrices.

    Returns
    -------
    (start in the first, start in the second, number of values), for each matrix
    """
    if first.structure == second.structure:
        return ((0, 0, first.count),)
    if first.structure > second.structure:
        return tuple((b, a, count) for a, b, count in pair_places(second, first))
    names = match_endings(first.by_name, second.by_name)
    pairs = [
        (first.by_name[known], second.by_name[name])
        for name, known in names.items()
        if known in first.by_name and first.by_name[known].shape == second.by_name[name].shape
    ]
    return tuple((a.start, b.start, min(a.count, b.count)) for a, b in pairs)


def translate(routes: Routes, own: Layout, other: Layout) -> tuple[Routes, int]:
    """Routes with their values where another structure has them, and how many values those are.

    Parameters
    ----------
    routes : (models, ROUTING_SIZE), of the structure ``own``
    """
    if own.structure == other.structure:
        return routes, own.count
    moved = np.zeros_like(routes)
    total = 0
    for start, there, count in pair_places(own, other):
        moved[:, there : there + count] = routes[:, start : start + count]
        total += count
    return moved, total


def calculate_scores(
    route: Routes, own: Layout, others: Sequence[Layout], routes: Routes, structures: Structures
) -> NDArray[np.float64]:
    """How one model agrees with others: standard normal for strangers, (models,).

    Parameters
    ----------
    route, own : (ROUTING_SIZE,) of the one model, and what its structure is
    others : the structures of the other models
    routes : (models, ROUTING_SIZE)
    structures : (models,), of each its number in ``others``, or -1 where it is not to be looked at

    Returns
    -------
    0 where nothing can be compared
    """
    asked = np.zeros((len(others), ROUTING_SIZE), np.int32)
    counts = np.zeros(len(others))
    for number, other in enumerate(others):
        moved, counts[number] = translate(route[None], own, other)
        asked[number] = moved[0]
    sums = np.zeros(len(routes), np.int64)
    _multiply(routes, asked, np.where(counts[structures] > 0, structures, -1), sums)
    scores: NDArray[np.float64] = sums / (SCALE**2 * np.sqrt(np.maximum(counts[structures], 1.0)))
    return scores


@njit(cache=True, nogil=True)
def _multiply(
    rows: Routes, asked: NDArray[np.int32], structures: Structures, sums: NDArray[np.int64]
) -> None:
    for i in range(rows.shape[0]):
        if structures[i] >= 0:
            total = np.int32(0)
            for k in range(rows.shape[1]):
                total += np.int32(rows[i, k]) * asked[structures[i], k]
            sums[i] = total


def in_pieces(size: int, piece: int) -> Iterator[slice]:
    for start in range(0, size, piece):
        yield slice(start, min(start + piece, size))
