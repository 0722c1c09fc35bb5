"""Results that are kept for the next time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Found = TypeVar("Found")


class Memory(Generic[Found]):
    """Results by what they are results of.

    ``largest``: the sum of their sizes from which the oldest are forgotten.
    """

    def __init__(self, largest: int | None = None) -> None:
        self._known: dict[Hashable, tuple[Found, int]] = {}
        self._largest = largest
        self._total = 0
        self._lock = Lock()

    def recall(self, name: Hashable, measure: Callable[[], Found], *, size: int = 1) -> Found:
        """What is known under a name, measured if nothing is."""
        known = self._known.get(name)
        if known is not None:
            return known[0]
        found = measure()
        self.keep(name, found, size=size)
        return found

    def find(self, name: Hashable) -> Found | None:
        known = self._known.get(name)
        return None if known is None else known[0]

    def clear(self) -> None:
        with self._lock:
            self._known.clear()
            self._total = 0

    def keep(self, name: Hashable, found: Found, *, size: int = 1) -> None:
        """In the place of what was known under this name."""
        with self._lock:
            self._total += size - self._known.pop(name, (None, 0))[1]
            self._known[name] = found, size
            while self._largest is not None and self._total > self._largest:
                self._total -= self._known.pop(next(iter(self._known)))[1]
