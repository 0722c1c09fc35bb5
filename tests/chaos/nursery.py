"""Forks a server for every line of JSON (its environment) on standard input; prints its pid."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import model_heritage_backend.app  # noqa: F401 - what a server imports, before it is forked
from model_heritage_backend.models import database
from model_heritage_backend.server import serve

CLOCK = "CHAOS_CLOCK"


def bend_clock(offset: Path) -> None:
    """Let all clocks but the steady one be wrong by the number of seconds that a file says."""
    real = time.time

    def read_offset() -> float:
        return float(offset.read_text() or 0)

    class BentDate(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(seconds=read_offset())

    time.time = lambda: real() + read_offset()
    vars(database)["datetime"] = BentDate


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
            if CLOCK in environment:
                bend_clock(Path(environment[CLOCK]))
            sys.exit(serve())
        print(pid, flush=True)


if __name__ == "__main__":
    main()
