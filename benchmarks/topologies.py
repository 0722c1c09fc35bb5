"""Shapes of family trees: for every member but the root, the number of its parent."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable


def chain(size: int, rng: random.Random) -> list[int]:
    """Mostly one line, with a branch now and then."""
    return [i - 1 if rng.random() < 0.85 else rng.randrange(i) for i in range(1, size)]


def star(size: int, rng: random.Random) -> list[int]:
    """Mostly children of the root."""
    return [0 if rng.random() < 0.85 else rng.randrange(i) for i in range(1, size)]


def preferential(size: int, rng: random.Random) -> list[int]:
    """The more children a model has, the more it gets."""
    parents: list[int] = []
    for i in range(1, size):
        children = Counter(parents)
        parents += rng.choices(range(i), [1 + children[j] for j in range(i)])
    return parents


def recursive(size: int, rng: random.Random) -> list[int]:
    """Every earlier model is as likely a parent as any other."""
    return [rng.randrange(i) for i in range(1, size)]


def balanced(branching: int, depth: int) -> list[int]:
    """Every model above the last generation has ``branching`` children."""
    size = sum(branching**generation for generation in range(depth + 1))
    return [(i - 1) // branching for i in range(1, size)]


TOPOLOGIES: dict[str, Callable[[int, random.Random], list[int]]] = {
    "chain": chain,
    "star": star,
    "preferential": preferential,
    "recursive": recursive,
}
