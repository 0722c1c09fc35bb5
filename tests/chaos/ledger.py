"""What the server has promised, and what it may be: the judge of every answer after a crash."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.chaos.checkpoints import get_checksum, make_checkpoint


@dataclass
class Sending:
    """A resumable upload that the server has acknowledged up to ``offset``."""

    address: str
    offset: int


@dataclass
class Entry:
    """One model. Only its owner changes it, so what is known of it has an order.

    ``stored`` is None while a request whose answer never came may or may not have been done.
    ``names`` are those that it may have. ``version`` counts the changes.
    """

    number: int
    stored: bool | None = False
    names: set[str] = field(default_factory=set)
    version: int = 0
    sending: Sending | None = None

    @property
    def content(self) -> bytes:
        return make_checkpoint(self.number)

    @property
    def checksum(self) -> str:
        return get_checksum(self.number)

    @property
    def model_id(self) -> str:
        return f"m_{self.checksum[:16]}"

    def begin(self) -> None:
        """A request that changes it is on its way."""
        self.version += 1
        self.stored = None

    def settle(self, stored: bool) -> None:
        """It is known to be here, or not."""
        self.version += 1
        self.stored = stored
        if not stored and self.sending is None:
            self.names.clear()


class Ledger:
    """All models, what went wrong, and how much was done."""

    def __init__(self, count: int) -> None:
        self.entries = [Entry(number) for number in range(count)]
        self.faults: list[str] = []
        self.done: dict[str, int] = {}
        self._lock = threading.Lock()

    def accuse(self, fault: str) -> None:
        with self._lock:
            self.faults.append(fault)

    def count(self, what: str) -> None:
        with self._lock:
            self.done[what] = self.done.get(what, 0) + 1

    def count_all(self) -> int:
        """How many things were done, of whatever kind."""
        with self._lock:
            return sum(self.done.values())

    def list_stored(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.stored]
