"""Families that are grown without training: many models in a moment."""

from __future__ import annotations

import random

from benchmarks.scale.synthetic import Breeder, Shapes, draw_shapes, fingerprint_arrays
from model_heritage_backend.fingerprints import Fingerprint


def draw_structures(count: int, *, seed: int = 3) -> list[Shapes]:
    rng = random.Random(seed)
    return [draw_shapes(rng) for _ in range(count)]


def grow_families(
    families: int, size: int, structures: list[Shapes]
) -> dict[str, tuple[int, Fingerprint]]:
    """By id: the number of a model's family and its fingerprint."""
    found = {}
    for family in range(families):
        for born in Breeder(structures[family % len(structures)], family).grow(size):
            print_ = fingerprint_arrays(born.weights, f"{family}/{born.place}")
            found[f"m_{print_.checksum[:16]}"] = family, print_
    return found
