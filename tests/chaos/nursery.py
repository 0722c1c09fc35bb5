"""Forks a server for every line of JSON (its environment) on standard input; prints its pid."""

from __future__ import annotations

import json
import os
import signal
import sys

import model_heritage_backend.app  # noqa: F401 - what a server imports, before it is forked
from model_heritage_backend.server import serve


def main() -> None:
    # Whoever is killed is nobody's concern here.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        environment = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # Nothing that tells the driver: its pipe must not stay open in here.
            os.dup2(2, 1)
            os.close(0)
            os.environ.update(environment)
            sys.exit(serve())
        print(pid, flush=True)


if __name__ == "__main__":
    main()
