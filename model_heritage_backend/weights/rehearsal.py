"""Strangers' files are parsed in a process that may die of them, before they are parsed here.

The rehearsal costs a fork, some milliseconds. A file whose rehearsal crashes, hangs or asks for too
much is refused; every other is what it was a moment ago, and parsing it again takes the same little
time and memory.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path

from model_heritage_backend.errors import (
    InvalidRequest,
    InvalidWeights,
    NotFound,
    UnsupportedFormat,
)
from model_heritage_backend.weights.limits import Limits

ROOM = ("-m", "model_heritage_backend.weights.rehearsal_room")
MEMORY = 512 << 20
SECONDS, PATIENCE = 8, 3
"""Of the processor, and how many times that on the clock, as the machine may be busy."""
END_SECONDS = 5
ANSWER_BYTES = 1 << 16
REMEMBERED = 4096
"""Files that are known to be harmless, by their identity: they need no second rehearsal."""

Identity = tuple[int, ...]


class Rehearsal:
    """One room for all threads of this process; it is opened at the first file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._harmless: OrderedDict[tuple[str, Identity], None] = OrderedDict()
        self._owner = 0
        self._connection: socket.socket | None = None
        self._room: subprocess.Popen[bytes] | None = None

    def hold(self, path: Path, identity: Identity, limits: Limits) -> None:
        """Parse the file elsewhere, unless it was parsed before as it is now.

        Raises
        ------
        HeritageError
            What the file is refused for, also for needing too much memory or time.
        """
        key = (str(path), identity)
        with self._lock:
            if key in self._harmless:
                self._harmless.move_to_end(key)
                return
        self._ask(path, limits)
        with self._lock:
            self._harmless[key] = None
            while len(self._harmless) > REMEMBERED:
                self._harmless.popitem(last=False)

    def _ask(self, path: Path, limits: Limits) -> None:
        request = {
            "path": str(path.absolute()),
            "limits": asdict(limits),
            "memory": MEMORY,
            "seconds": SECONDS,
            "patience": PATIENCE,
        }
        message = json.dumps(request).encode()
        answer, room = self._exchange(message)
        if not answer and _has_ended(room):
            # The room itself was ended, so the file is not to blame.
            answer, room = self._exchange(message)
            if not answer and _has_ended(room):
                raise RuntimeError("the process that parses files first does not stay alive")
        if not answer:
            # The cause tells whoever remembers refusals that the next time may be otherwise.
            raise InvalidWeights(
                "Reading this file needs more time or memory than is allowed, or breaks the reader."
            ) from TimeoutError()
        error = json.loads(answer)["error"]
        if error is not None:
            kinds = {kind.__name__: kind for kind in (UnsupportedFormat, NotFound, InvalidRequest)}
            raise kinds.get(error[0], InvalidWeights)(error[1])

    def _exchange(self, message: bytes) -> tuple[bytes, subprocess.Popen[bytes]]:
        """The answer, empty where there is none, and the room that was asked."""
        reading, writing = os.pipe()
        try:
            try:
                with self._lock:
                    room = self._send(message, writing)
            finally:
                os.close(writing)
            return _read_all(reading, PATIENCE * SECONDS + 1), room
        finally:
            os.close(reading)

    def _send(self, message: bytes, descriptor: int) -> subprocess.Popen[bytes]:
        connection, room = self._connect()
        try:
            socket.send_fds(connection, [message], [descriptor])
        except OSError:
            # The room is gone: somebody ended it, or the system ran out of memory.
            self.close()
            connection, room = self._connect()
            socket.send_fds(connection, [message], [descriptor])
        return room

    def _connect(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        # After a fork, a server's workers open rooms of their own.
        if self._connection is None or self._room is None or self._owner != os.getpid():
            self.close()
            here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with there:
                self._room = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, *ROOM, str(there.fileno())],
                    pass_fds=[there.fileno()],
                    cwd=Path(__file__).parents[2],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={"PATH": os.environ.get("PATH", ""), "OMP_NUM_THREADS": "1"},
                    start_new_session=True,
                )
            self._connection, self._owner = here, os.getpid()
        return self._connection, self._room

    def close(self) -> None:
        """End the room; the next file opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._room is not None:
            if self._owner == os.getpid():
                try:
                    self._room.wait(END_SECONDS)
                except subprocess.TimeoutExpired:
                    # A process forked meanwhile may hold the other end open.
                    self._room.kill()
                    self._room.wait()
            self._room = None


def _has_ended(room: subprocess.Popen[bytes]) -> bool:
    """Whether it ended, which takes a moment to be known after its descriptors are closed."""
    try:
        room.wait(0.2)
    except subprocess.TimeoutExpired:
        return False
    return True


def _read_all(descriptor: int, seconds: float) -> bytes:
    """What is written until the other end closes; nothing when that takes too long."""
    deadline = time.monotonic() + seconds
    found = b""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while len(found) < ANSWER_BYTES:
        if not poll.poll(1000 * max(deadline - time.monotonic(), 0.0)):
            return b""
        piece = os.read(descriptor, ANSWER_BYTES)
        if not piece:
            return found
        found += piece
    return b""
