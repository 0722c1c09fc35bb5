"""Results that are kept: measured once, the oldest forgotten first."""

from __future__ import annotations

from model_heritage_backend.clustering.memory import Memory


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


def test_what_is_kept_takes_the_place_of_what_was() -> None:
    memory: Memory[int] = Memory(10)
    memory.keep("a", 1, size=9)
    memory.keep("a", 2, size=6)
    memory.keep("b", 3, size=4)
    assert (memory.find("a"), memory.find("b"), memory.find("c")) == (2, 3, None)
    memory.keep("c", 4, size=1)
    assert (memory.find("a"), memory.find("c")) == (None, 4)
