"""Siblings strung up in a chain, put side by side again.

Children trained on similar data drift in the same direction, so one of them can lie nearer to
another than to their parent. For a -> b -> c, tau = <b - a, c - a> / |b - a|^2 is 1 when c was
made from b (its step is independent of b's) and smaller when both were made from a.
"""

from __future__ import annotations

from collections.abc import Collection

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.orientation import Orientation

SIBLING_BELOW = 0.6


def find_siblings(
    family: AlignedFamily, orientation: Orientation, *, fixed: Collection[int]
) -> dict[int, int]:
    """Parents after repair: where tau says so, a grandparent takes the parent's place.

    ``fixed``: members whose parent is proven (copies, merges) and who are passed over.
    """
    parents = dict(orientation.parents)
    for child in orientation.order:
        parent = parents.get(child)
        if parent is None or parent not in parents or child in fixed or parent in fixed:
            continue
        if calculate_tau(family, parents[parent], parent, child) < SIBLING_BELOW:
            parents[child] = parents[parent]
    return parents


def calculate_tau(family: AlignedFamily, a: int, b: int, c: int) -> float:
    """<b - a, c - a> / |b - a|^2 over matrices that all three share, each whitened by c's step."""
    product = squares = 0.0
    for first in family.shared_matrices(a, b):
        second = family.get_shared(a, c, first.name)
        if second is None or second.first.shape != first.first.shape:
            continue
        towards_b, towards_c = first.second - first.first, second.second - second.first
        variance = float((towards_c**2).mean())
        if variance > 0 and first.second.shape == second.second.shape and towards_b.any():
            product += float((towards_b * towards_c).sum()) / variance
            squares += float((towards_b**2).sum()) / variance
    return product / squares if squares > 0 else 1.0
