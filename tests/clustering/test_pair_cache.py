"""What is remembered of pairs and families: measured once, the oldest forgotten first."""

from __future__ import annotations

import pytest

from model_heritage_backend.clustering.constraints import Constraints
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.pair_cache import Memory, PairCache
from model_heritage_backend.fingerprints import Fingerprint


def test_a_thing_is_measured_once() -> None:
    memory: Memory[int | None] = Memory()
    asked: list[str] = []

    def measure(name: str, found: int | None) -> int | None:
        asked.append(name)
        return found

    for _ in range(2):
        assert memory.recall("a", lambda: measure("a", 1)) == 1
        assert memory.recall("b", lambda: measure("b", None)) is None
    assert asked == ["a", "b"]


def test_the_oldest_is_forgotten_first() -> None:
    memory: Memory[int] = Memory(10)
    for name in range(4):
        assert memory.recall(name, lambda: 1, size=4) == 1
    assert memory.recall(3, lambda: 2, size=4) == 1
    assert memory.recall(2, lambda: 2, size=4) == 1
    assert memory.recall(1, lambda: 2, size=4) == 2


def test_a_known_family_is_solved_without_its_samples(
    family_prints: dict[str, Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With new constraints as well; the tree is that of a fresh start."""
    pairs = PairCache()
    tree = solve_family(family_prints, pairs=pairs)
    pinned = Constraints(root=min({*tree.members} - {tree.root}))
    fresh = solve_family(family_prints, constraints=pinned)

    def refuse(*_: object) -> None:
        raise AssertionError("samples were looked at")

    solve_family(family_prints, pairs=pairs, constraints=pinned)
    monkeypatch.setattr("model_heritage_backend.clustering.sample_stacks._stack", refuse)
    assert solve_family(family_prints, pairs=pairs) == tree
    assert solve_family(family_prints, pairs=pairs, constraints=pinned) == fresh
