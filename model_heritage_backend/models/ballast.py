"""Room that is kept for giving room: a file that is thrown overboard when a disk is full.

Deleting a model writes to the database before it frees anything, which a disk without a byte left
would refuse: nothing could be deleted where it is needed most.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

NAME = "ballast"
SIZE = 16 << 20
"""Bytes; solving a family of a thousand again writes fewer."""


class Ballast:
    """The file ``ballast`` in a data folder.

    Parameters
    ----------
    folder : where it lies; the database must be on the same disk
    """

    def __init__(self, folder: Path, *, size: int = SIZE) -> None:
        self._path = folder / NAME
        self._size = size
        self._lock = threading.Lock()
        self._users = 0

    def lay(self) -> bool:
        """Allocate it, or a smaller one where as much would not stay free; whether there is one."""
        return self._lay(leaving=self._size)

    def _lay(self, *, leaving: int) -> bool:
        present = self._path.stat().st_size if self._path.is_file() else 0
        size = min(self._size, present + self._get_free() - leaving)
        if size <= max(present, self._size // 8):
            return present > 0
        try:
            with self._path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            # Without it the server is only as good as others are.
            self._path.unlink(missing_ok=True)
            return False
        return True

    def throw_off(self) -> None:
        """Give its room away if there is no other, until ``make_room`` or ``lay`` take it back."""
        if self._get_free() < self._size:
            self._path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def make_room(self) -> Iterator[None]:
        """Within the block, its room may be used if there is no other.

        Some is left afterwards: a job has yet to write that it has ended.
        """
        with self._lock:
            self._users += 1
            self.throw_off()
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._lay(leaving=self._size // 8)

    def _get_free(self) -> int:
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize
