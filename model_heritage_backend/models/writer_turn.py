"""One writer at a time, in all processes: who writes to a SQLite database, or checkpoints it.

SQLite would order writers by itself, by trying again and again. This queue is fair and quick, and
it keeps a checkpoint and another connection's commit apart: before 3.51.3 (and its backports)
SQLite could lose pages when the log was begun anew while a second checkpoint started. A commit
checkpoints within itself, so it is enough that no two of them meet.
"""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIX = ".lock"
POLL_SECONDS = 0.005


class WriterTurn:
    """The turn of one database.

    Parameters
    ----------
    database : its file; ``<name>.lock`` beside it is what processes lock
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + SUFFIX)
        self._lock = threading.Lock()

    @contextmanager
    def take(self, seconds: float) -> Iterator[None]:
        """Nobody else writes within the block.

        Raises
        ------
        TimeoutError
            When others keep it for longer than ``seconds``.
        """
        deadline = time.monotonic() + seconds
        if not self._lock.acquire(timeout=seconds):
            raise TimeoutError
        try:
            # Opened each time: a descriptor of this process's own, whoever forked or was forked.
            with self._path.open("ab") as file:
                while not _try_lock(file.fileno()):
                    if time.monotonic() > deadline:
                        raise TimeoutError
                    time.sleep(POLL_SECONDS)
                yield
        finally:
            self._lock.release()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
