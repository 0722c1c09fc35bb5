from __future__ import annotations

import pytest

from model_heritage_backend.errors import TooManyAttempts
from model_heritage_backend.services.attempts import LIMIT, MOST_ADDRESSES, SECONDS, Attempts


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def fail(attempts: Attempts, address: str, times: int) -> None:
    for _ in range(times):
        attempts.check(address)
        attempts.note(address)


def test_a_minute_of_waiting() -> None:
    clock = Clock()
    attempts = Attempts(clock=clock)
    fail(attempts, "10.0.0.1", LIMIT)
    clock.now += SECONDS - 1
    with pytest.raises(TooManyAttempts) as caught:
        attempts.check("10.0.0.1")
    assert caught.value.retry_after == 1
    attempts.check("10.0.0.2")
    clock.now += 1
    fail(attempts, "10.0.0.1", LIMIT)


def test_a_network_of_ipv6_is_one_address() -> None:
    attempts = Attempts(clock=Clock())
    fail(attempts, "2001:db8::1", LIMIT)
    with pytest.raises(TooManyAttempts):
        attempts.check("2001:db8::ffff")
    attempts.check("2001:db8:0:1::1")


def test_addresses_that_are_remembered_are_bounded() -> None:
    clock = Clock()
    attempts = Attempts(clock=clock)
    for number in range(MOST_ADDRESSES + 10):
        attempts.note(f"a{number}")
    assert len(attempts._failed) <= MOST_ADDRESSES
