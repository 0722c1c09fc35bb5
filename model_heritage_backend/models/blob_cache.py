"""Whole files of an object storage, kept on this machine's disk for a while.

Reading weights jumps about in a file, and the base of a family is read for every child. A file in
use has a shared lock on it, so that no other thread or process takes it away before it is open.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TURNS = 16
COMING = ".new"
FETCH_SECONDS = 86_400.0
"""A file that has been coming for longer is the rest of a process that was killed."""


class BlobCache:
    """A folder of at most ``limit`` bytes, more only while larger files are in use."""

    def __init__(self, folder: Path, *, limit: int) -> None:
        self._folder = folder
        self.limit = limit
        # Who wants a file that another thread is fetching waits for that.
        self._turns = [threading.Lock() for _ in range(TURNS)]
        folder.mkdir(exist_ok=True)

    def adopt(self, path: Path, checksum: str) -> None:
        """Have a file that is on the same disk already; its name there may go."""
        if path.stat().st_size <= self.limit:
            with suppress(FileExistsError):
                os.link(path, self._folder / checksum)
            self.trim(self.limit)

    @contextmanager
    def borrow(self, checksum: str, fetch: Callable[[Path], None]) -> Iterator[Path]:
        """The file, which ``fetch(path)`` brings if it is not here."""
        descriptor = self._hold(checksum)
        if descriptor is None:
            with self._turns[int(checksum[:8], 16) % TURNS]:
                descriptor = self._hold(checksum)
                while descriptor is None:
                    self._bring(checksum, fetch)
                    descriptor = self._hold(checksum)
        try:
            yield self._folder / checksum
        finally:
            os.close(descriptor)
            self.trim(self.limit)

    def drop(self, checksum: str) -> None:
        """It is deleted. Who reads it reads on."""
        (self._folder / checksum).unlink(missing_ok=True)

    def trim(self, limit: int) -> None:
        """Take away what was not used for longest, until no more than ``limit`` bytes are left."""
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    state = entry.stat()
                    age = time.time() - state.st_mtime
                    if not entry.name.endswith(COMING) or age > FETCH_SECONDS:
                        found.append((state.st_mtime, state.st_size, Path(entry.path)))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= limit:
                return
            total -= size * _take_away(path)

    def _hold(self, checksum: str) -> int | None:
        """A descriptor by which the file is in use."""
        path = self._folder / checksum
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                # More exactly than the system does it by itself.
                os.utime(descriptor, ns=(time.time_ns(),) * 2)
                return descriptor
        # Taken away between the two.
        os.close(descriptor)
        return None

    def _bring(self, checksum: str, fetch: Callable[[Path], None]) -> None:
        coming = self._folder / f"{uuid.uuid4().hex}{COMING}"
        try:
            fetch(coming)
            coming.replace(self._folder / checksum)
        finally:
            coming.unlink(missing_ok=True)


def _take_away(path: Path) -> bool:
    """Whether it could be: nobody is just opening it."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True
