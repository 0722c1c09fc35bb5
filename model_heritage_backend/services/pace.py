"""How many changes somebody asks for."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable

from model_heritage_backend.errors import TooManyChanges

SECONDS = 60.0


class Pace:
    """Changes counted within one minute after another.

    Parameters
    ----------
    limit : changes of each sender within a minute; 0 for any number
    clock : seconds of a clock that never goes back
    """

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._begun = -math.inf
        self._counts: Counter[str] = Counter()

    def count(self, *senders: str) -> None:
        """One more change, for each name of who asks for it.

        Raises
        ------
        TooManyChanges
            When one of them has asked for all that it may; this one then counts for none.
        """
        if not self._limit:
            return
        present = self._clock()
        with self._lock:
            if present - self._begun >= SECONDS:
                # Memory is bounded by the senders of one minute, each of whom is known.
                self._begun = present
                self._counts.clear()
            if any(self._counts[sender] >= self._limit for sender in senders):
                error = TooManyChanges(
                    f"More than {self._limit} changes within a minute; wait for the next one."
                )
                error.retry_after = math.ceil(self._begun + SECONDS - present)
                raise error
            self._counts.update(senders)
