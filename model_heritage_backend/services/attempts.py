"""Failed attempts, counted by address."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Callable

from model_heritage_backend.errors import TooManyAttempts

LIMIT = 10
SECONDS = 60.0
MOST_ADDRESSES = 10_000
NETWORK_BITS = 64
"""Of an IPv6 address: one customer has all the rest."""


class Attempts:
    """How often an address failed within the present minute.

    Parameters
    ----------
    limit : failures within a minute, after which nothing more is tried
    clock : seconds of a clock that never goes back
    """

    def __init__(self, *, limit: int = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: dict[str, tuple[float, int]] = {}

    def check(self, address: str) -> None:
        """Raises TooManyAttempts when this address has failed too often."""
        with self._lock:
            begun, count = self._failed.get(_name_network(address), (-math.inf, 0))
        rest = begun + SECONDS - self._clock()
        if count >= self._limit and rest > 0:
            error = TooManyAttempts("Too many attempts have failed; wait a minute.")
            error.retry_after = math.ceil(rest)
            raise error

    def note(self, address: str) -> None:
        """One more failure."""
        network, now = _name_network(address), self._clock()
        with self._lock:
            if len(self._failed) >= MOST_ADDRESSES:
                # Memory is bounded; who fails from so many addresses is not held back by this.
                self._failed = {n: f for n, f in self._failed.items() if f[0] + SECONDS > now}
                if len(self._failed) >= MOST_ADDRESSES:
                    self._failed.clear()
            begun, count = self._failed.get(network, (now, 0))
            fresh = begun + SECONDS > now
            self._failed[network] = (begun, count + 1) if fresh else (now, 1)


def _name_network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, NETWORK_BITS), strict=False))
    return address
