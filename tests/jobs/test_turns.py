from __future__ import annotations

import threading
import time

from model_heritage_backend.jobs.turns import Turns


def wait_until_queued(turns: Turns, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(turns._waiting) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_first_come_first_served() -> None:
    turns, order = Turns(), list[int]()

    def take(number: int) -> None:
        with turns.take():
            order.append(number)

    threads = []
    with turns.take():
        for number in range(5):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            wait_until_queued(turns, number + 1)
        assert order == []
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3, 4]


def test_one_at_a_time() -> None:
    turns, inside, most = Turns(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            with turns.take():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (inside, most) == (0, 1)


def test_whoever_comes_back_at_once_waits_behind_the_others() -> None:
    turns, order = Turns(), list[str]()

    def visit() -> None:
        with turns.take():
            order.append("visitor")

    visitor = threading.Thread(target=visit)
    with turns.take():
        visitor.start()
        wait_until_queued(turns, 1)
    with turns.take():
        order.append("worker")
    visitor.join(5)
    assert order == ["visitor", "worker"]


def test_an_error_gives_the_turn_back() -> None:
    turns = Turns()
    for _ in range(2):
        try:
            with turns.take():
                raise RuntimeError
        except RuntimeError:
            pass
    with turns.take():
        pass
