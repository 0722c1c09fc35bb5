"""Files on their way in, hashed while they are written."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from model_heritage_backend.errors import FileTooLarge, InsufficientStorage

PIECE = 1 << 20
LOOK_BYTES = 8 << 20
"""Received between two looks at what is free: others fill the disk, too."""


@contextmanager
def room_on_disk() -> Iterator[None]:
    """A disk that is full raises InsufficientStorage within the block."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise InsufficientStorage(
                "There is no room left on the server for this file."
            ) from error
        raise


class StagedFile(io.RawIOBase):
    """A file being received. Closing it removes it, unless it was published before.

    Write to it, then call ``finish``; ``checksum`` (SHA-256, hex) and ``size`` are then final.
    """

    def __init__(
        self, path: Path, *, limit: int, check_room: Callable[[int], None] = lambda _: None
    ) -> None:
        super().__init__()
        self.path = path
        self.size = 0
        self._limit = limit
        self._check_room = check_room
        self._next_look = 0
        self._hash = hashlib.sha256()
        self._finished = False
        with room_on_disk():
            self._file = path.open("xb")

    def writable(self) -> bool:
        return True

    # typeshed's has Buffer, which has no length.
    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Append.

        Raises
        ------
        FileTooLarge, InsufficientStorage
        """
        self.size += len(data)
        if self.size > self._limit:
            raise FileTooLarge(
                f"The file is larger than the {format_bytes(self._limit)} that this server takes."
            )
        if self.size > self._next_look:
            self._check_room(len(data))
            self._next_look = self.size + LOOK_BYTES
        with room_on_disk():
            self._file.write(data)
        self._hash.update(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Only to the start: form parsers rewind what they have filled. Nothing is moved."""
        if offset or whence != os.SEEK_SET:
            raise io.UnsupportedOperation("a staged file is only appended to")
        return 0

    def finish(self) -> None:
        """Make the bytes survive a power cut."""
        if not self._finished:
            with room_on_disk():
                self._file.flush()
                os.fsync(self._file.fileno())
            self._file.close()
            self._finished = True

    @property
    def checksum(self) -> str:
        return self._hash.hexdigest()

    def close(self) -> None:
        if not self.closed:
            super().close()
            try:
                # On a full disk, closing fails too: what is buffered is not wanted any more.
                with room_on_disk():
                    self._file.close()
            except InsufficientStorage:
                self._file.raw.close()
            finally:
                self.path.unlink(missing_ok=True)


class ReceivedFile(StagedFile):
    """A file that is whole and on the disk already. Closing it leaves it to its owner."""

    def __init__(self, path: Path, *, size: int, sha256: hashlib._Hash) -> None:
        io.RawIOBase.__init__(self)
        self.path = path
        self.size = size
        self._hash = sha256
        self._finished = True

    def writable(self) -> bool:
        return False

    def close(self) -> None:
        io.RawIOBase.close(self)


def format_bytes(count: int) -> str:
    """A size for people: ``5.0 GiB``, ``12 bytes``."""
    size = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{int(size)} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
