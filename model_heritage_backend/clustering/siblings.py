"""Siblings strung up in a chain, put side by side again.

Children trained on similar data drift in the same direction, so one of them can lie nearer to
another than to their parent. For a -> b -> c, tau = <b - a, c - a> / |b - a|^2 is 1 when c was
made from b (its step is independent of b's) and smaller when both were made from a. Whitened by the
spectrum of the two steps, the shared drift weighs little and the independent noise much.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.orientation import Orientation

PLAIN_BELOW = 0.6
"""True chains of small transformers and wild families stay above 0.8 in 19 of 20 cases."""
WHITENED_BELOW = 0.15
"""True chains stay above 0.23; three of four pairs of siblings are below 0.08."""
CERTAIN_FROM = 0.8
"""Below this certainty of where the root lies, a chain is left as it is: seen from the wrong end, a
parent between its children looks like a sibling."""
FLATTEST = 1e-4
"""Directions with less than this share of the largest energy are not blown up further."""


@dataclass(frozen=True)
class Tau:
    """``plain``: each matrix weighted by c's step. ``whitened``: each direction as well."""

    plain: float
    whitened: float

    @property
    def siblings(self) -> bool:
        return self.plain < PLAIN_BELOW or self.whitened < WHITENED_BELOW


def find_siblings(
    orientation: Orientation, tau: Callable[[int, int, int], Tau], *, fixed: Collection[int]
) -> dict[int, int]:
    """Parents after repair: where tau says so, a grandparent takes the parent's place.

    Parameters
    ----------
    orientation : the tree before
    tau : of grandparent, parent and child
    fixed : members whose parent is proven (copies, merges) and who are passed over
    """
    parents = dict(orientation.parents)
    for child in orientation.order:
        parent = parents.get(child)
        if parent is None or parent not in parents or child in fixed or parent in fixed:
            continue
        if orientation.calculate_certainty(parent) < CERTAIN_FROM:
            continue
        if tau(parents[parent], parent, child).siblings:
            parents[child] = parents[parent]
    return parents


def calculate_tau(family: AlignedFamily, a: int, b: int, c: int) -> Tau:
    """<b - a, c - a> / |b - a|^2 over matrices that all three share."""
    sums = np.zeros((2, 2))
    for first in family.shared_matrices(a, b):
        second = family.get_shared(a, c, first.name)
        if second is None or second.first.shape != first.first.shape:
            continue
        towards_b, towards_c = first.second - first.first, second.second - second.first
        if towards_b.shape == towards_c.shape and towards_b.any() and towards_c.any():
            sums[0] += _project(towards_b, towards_c)
            sums[1] += _project(*_whiten(towards_b, towards_c))
    plain, whitened = (float(p / s) if s > 0 else 1.0 for p, s in sums)
    return Tau(plain, whitened)


def _project(b: NDArray[np.float64], c: NDArray[np.float64]) -> tuple[float, float]:
    """<b, c> and |b|^2 in units of c's mean square."""
    variance = float((c * c).mean())
    return float((b * c).sum()) / variance, float((b * b).sum()) / variance


def _whiten(
    b: NDArray[np.float64], c: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both steps in directions of equal energy, on the smaller side of the matrix."""
    if b.shape[0] > b.shape[1]:
        b, c = b.T, c.T
    energy, directions = np.linalg.eigh(b @ b.T / (b * b).mean() + c @ c.T / (c * c).mean())
    scale = directions / np.sqrt(np.maximum(energy, FLATTEST * energy[-1]))
    return scale.T @ b, scale.T @ c
