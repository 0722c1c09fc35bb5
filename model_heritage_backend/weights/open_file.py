"""One open checkpoint file: positioned reads into buffers, never a memory map."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

from model_heritage_backend.errors import (
    InvalidRequest,
    InvalidWeights,
    NotFound,
    UnsupportedFormat,
)

SMALLEST_BUFFER = 1 << 20
MUCH, AHEAD = 1 << 18, 1 << 22
"""Whoever reads so many bytes at once reads on: the system is asked to fetch so many more while
these are worked on."""


class _Buffers(threading.local):
    """One thread's, and up to which byte it has asked the system to read ahead."""

    def __init__(self) -> None:
        self.now = self.before = bytearray(0)
        self.asked = 0


class OpenFile:
    """A regular file, read by offset, also by several threads at once.

    Raises
    ------
    NotFound, InvalidRequest, UnsupportedFormat
        When the path is missing, may not be read, or is not a regular file.
    """

    def __init__(self, path: Path) -> None:
        try:
            # Without O_NONBLOCK, opening a named pipe would wait for its writer.
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            raise NotFound("The file does not exist.") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "its name is not valid"
            raise InvalidRequest(f"The file cannot be opened: {reason}.") from None
        status = os.fstat(self._descriptor)
        self._begin(status.st_size)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "a device or pipe"
            raise UnsupportedFormat(f"This is {what}, not a file.")

    def _begin(self, size: int, *, tells_cached: bool = True) -> None:
        """``tells_cached``: ``_read_cached`` tells what the system holds in memory."""
        self.tells_cached = tells_cached
        self._open = True
        self._buffers = _Buffers()
        self.size = size

    def _end(self) -> None:
        self._open = False
        self._buffers = _Buffers()

    def read_bytes(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset``, as a copy; for the small parts of a file.

        Raises
        ------
        InvalidWeights
            When the file does not hold them.
        """
        self._check(offset, count)
        own = bytearray(count)
        self._fill(memoryview(own), offset)
        return bytes(own)

    def read_pieces(self, offsets: Sequence[int], count: int) -> bytearray:
        """``count`` bytes from each of some offsets, asked for together, as a copy."""
        own = bytearray(count * len(offsets))
        view = memoryview(own)
        parts = [(offset, view[i * count : (i + 1) * count]) for i, offset in enumerate(offsets)]
        missing = []
        for offset, part in parts:
            self._check(offset, count)
            if not self.tells_cached or self._read_cached(part, offset) < count:
                self._fetch(offset, count)
                missing.append((offset, part))
        for offset, part in missing:
            self._fill(part, offset)
        return own

    def read_buffer(self, offset: int, count: int) -> memoryview:
        """As ``read_bytes``, but a read-only view, valid until this thread's next such read but
        one."""
        self._check(offset, count)
        own = self._buffers
        own.now, own.before = own.before, own.now
        if len(own.now) < count:
            # A new object, as views of the old one may still be alive.
            own.now = bytearray(max(count, SMALLEST_BUFFER))
        view = memoryview(own.now)[:count]
        if count < MUCH:
            self._fill(view, offset)
            return view.toreadonly()
        done = self._read_cached(view, offset) if self.tells_cached else 0
        # Asking is not free: not before something was missing, and half of what is ahead at a time.
        near = offset + count + AHEAD // 2 <= own.asked <= offset + 2 * AHEAD
        if (own.asked or done < count) and not near:
            self._fetch(offset + count, AHEAD)
            own.asked = offset + count + AHEAD
        self._fill(view[done:], offset + done)
        return view.toreadonly()

    def _read_cached(self, view: memoryview, offset: int) -> int:
        """Read what is at hand without waiting for the disk: how many bytes that was."""
        try:
            return os.preadv(self._descriptor, [view], offset, os.RWF_NOWAIT)
        except (AttributeError, OSError):
            # Not all systems, nor all their file systems, can tell.
            return 0

    def _fetch(self, offset: int, count: int) -> None:
        """Ask the system for what will be read, without waiting for it."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._descriptor, offset, count, os.POSIX_FADV_WILLNEED)

    def _check(self, offset: int, count: int) -> None:
        if not self._open:
            raise InvalidWeights("The file was closed before it was read.")
        if offset < 0 or count < 0 or offset + count > self.size:
            raise InvalidWeights("The file ends before the values it announces.")

    def _fill(self, view: memoryview, offset: int) -> None:
        done = 0
        while done < len(view):
            try:
                read = os.preadv(self._descriptor, [view[done:]], offset + done)
            except OSError as error:
                raise InvalidWeights(f"The file cannot be read: {error.strerror}.") from None
            if read == 0:
                raise InvalidWeights("The file became shorter while it was read.")
            done += read

    def close(self) -> None:
        if self._open:
            self._end()
            os.close(self._descriptor)

    def __del__(self) -> None:
        # __init__ may have failed before there was anything to close.
        if getattr(self, "_open", False):
            self.close()
