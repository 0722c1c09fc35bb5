"""The process in which strangers' files are parsed first; started by ``rehearsal.py``.

It has imported everything, runs one thread and holds nothing worth having. For every file it is
asked about it forks a child with little memory and time, no way to write or grow files and, where
the system lets it, no network. What the child dies of, nobody else does.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.weights.formats import parse_weights
from model_heritage_backend.weights.limits import Limits

MESSAGE_BYTES = 1 << 16
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


def serve(connection: socket.socket) -> None:
    """Answer until the other end closes.

    A request is one message: JSON with ``path``, ``limits``, ``memory`` (bytes), ``seconds``
    of the processor and ``patience``, the multiple of them on the clock;
    and one descriptor, to which the answer is written: JSON with ``error`` (None, or the type's
    name and the detail).
    """
    # Children are never waited for: the system takes them away.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, 1)
        if not message:
            return
        if os.fork() == 0:
            connection.close()
            _rehearse(json.loads(message), descriptors[0])
        os.close(descriptors[0])


def leave_network() -> bool:
    """Move this process where there is no network; False where the system does not let it."""
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)


def _rehearse(request: dict[str, Any], answer: int) -> None:
    """Parse one file, answer and end; never returns."""
    try:
        _limit(request["memory"], request["seconds"], request["patience"])
        error = _parse(Path(request["path"]), Limits(**request["limits"]))
        os.write(answer, json.dumps({"error": error}).encode())
    finally:
        os._exit(0)


def _limit(memory: int, seconds: int, patience: int) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for what, limit in (
        (resource.RLIMIT_AS, used + memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    signal.alarm(patience * seconds)


def _parse(path: Path, limits: Limits) -> tuple[str, str] | None:
    try:
        parse_weights(path, limits=limits).close()
    except HeritageError as error:
        return type(error).__name__, error.detail
    return None


if __name__ == "__main__":
    leave_network()
    serve(socket.socket(fileno=int(sys.argv[1])))
