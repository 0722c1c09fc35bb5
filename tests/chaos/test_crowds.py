"""Many clients at once: slow ones, ones that give up, ones that all bring the same file."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path

from tests.chaos.checkpoints import get_checksum, make_checkpoint
from tests.chaos.conftest import FULL, StartVictim
from tests.chaos.servers import Victim
from tests.chaos.uploads import TUS, announce, append, put
from tests.served import list_files

SLOW = 500 if FULL else 120
CUTS = 1000 if FULL else 150
TWINS = 64
QUICK_SECONDS = 20.0
UNFINISHED = (
    b"",
    b"GET /api/models HT",
    b"GET /api/models HTTP/1.1\r\nHost: localhost\r\nX: ",
    b"PUT /api/models?name=slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx",
)


def count_descriptors(victim: Victim) -> int:
    return sum(
        len(list(Path(f"/proc/{process}/fd").iterdir())) for process in victim.list_processes()
    )


def wait_until_quiet(victim: Victim, most: int) -> None:
    """Until no more than so many files are open, and nothing is being received."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if count_descriptors(victim) <= most and not list_files(victim.data_dir)["staging"]:
            return
        time.sleep(0.1)
    raise AssertionError((count_descriptors(victim), list_files(victim.data_dir)))


def test_slow_clients_keep_nobody_waiting(start: StartVictim) -> None:
    """Neither those that send nothing, nor half a head, nor a body byte by byte; and when the
    server is told to stop, it does not wait for them."""
    victim = start()
    assert put(victim, 0, "first") == 201
    before = count_descriptors(victim)
    with contextlib.ExitStack() as stack:
        for number in range(SLOW):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", victim.port)))
            client.sendall(UNFINISHED[number % len(UNFINISHED)])
        for path in ("/api/health", "/api/models", "/api/stats"):
            began = time.monotonic()
            assert victim.ask("GET", path)[0] == 200
            assert time.monotonic() - began < QUICK_SECONDS
        began = time.monotonic()
        assert put(victim, 1, "second") == 201
        assert time.monotonic() - began < 2 * QUICK_SECONDS
    wait_until_quiet(victim, before + 8)
    assert victim.ask("GET", "/api/models")[1]["total"] == 2


def test_cut_uploads_leave_nothing(start: StartVictim) -> None:
    victim = start()
    assert put(victim, 0, "first") == 201
    before = count_descriptors(victim)
    content = make_checkpoint(1)
    for number in range(CUTS):
        with socket.create_connection(("127.0.0.1", victim.port)) as client:
            chunked = number % 3 == 0
            told = (
                b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(content)
            )
            part = content[: 1 + number * 211 % (len(content) - 1)]
            body = b"%x\r\n%s" % (len(content), part) if chunked else part
            head = (
                b"PUT /api/models?name=cut&filename=a.safetensors HTTP/1.1\r\nHost: localhost\r\n"
            )
            client.sendall(head + told + b"\r\n\r\n" + body)
            if number % 2:
                # As a machine that loses its network, not as a program that says goodbye.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_until_quiet(victim, before + 8)
    assert victim.ask("GET", "/api/models")[1]["total"] == 1
    assert put(victim, 1, "whole") == 201


def test_one_of_many_equal_uploads_wins(start: StartVictim) -> None:
    victim = start()
    answers: Counter[int] = Counter()
    line = threading.Barrier(TWINS)

    def send() -> None:
        line.wait()
        answers[put(victim, 0, "twin")] += 1

    threads = [threading.Thread(target=send) for _ in range(TWINS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {201: 1, 409: TWINS - 1}
    checksum = get_checksum(0)
    assert list_files(victim.data_dir) == {"staging": [], "blobs": [checksum]}
    [model] = victim.ask("GET", "/api/models")[1]["models"]
    assert model["id"] == f"m_{checksum[:16]}"


def test_an_upload_on_its_way_is_waited_for_when_the_server_stops(start: StartVictim) -> None:
    """And one that can go on later, goes on after the restart where it stood."""
    victim = start()
    content = make_checkpoint(0)
    address = announce(victim, len(content))
    assert append(victim, address, 0, content[:1000]) == 204
    other = make_checkpoint(1)
    with socket.create_connection(("127.0.0.1", victim.port)) as client:
        client.sendall(
            b"PUT /api/models?name=late&filename=b.safetensors HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: %d\r\n\r\n" % len(other) + other[:2000]
        )
        time.sleep(0.3)
        os.kill(victim.list_processes()[0], signal.SIGTERM)
        time.sleep(0.3)
        client.sendall(other[2000:])
        assert client.recv(100).startswith(b"HTTP/1.1 20")
    victim.wait_for_end()
    victim.start()
    victim.wait()
    assert [m["name"] for m in victim.ask("GET", "/api/models")[1]["models"]] == ["late"]
    assert victim.fetch("HEAD", address, None, TUS)[2]["Upload-Offset"] == "1000"
    assert append(victim, address, 1000, content[1000:]) == 204
