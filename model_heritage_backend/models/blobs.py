"""Where the uploaded files end up: named by their SHA-256, whole or not there, never changed.

``FolderBlobs`` keeps them in a folder beside the database, ``object_blobs.ObjectBlobs`` in S3. Who
calls holds the lock of ``files.FileStore``, except for what only reads and for ``send``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from model_heritage_backend.errors import HeritageError


class DamagedFile(HeritageError):
    """The bytes that are stored are not those that were received."""

    type = "file-damaged"
    title = "The stored file is damaged"
    status = 404


class StorageUnavailable(HeritageError):
    """The object storage does not answer, or refuses."""

    type = "storage-unavailable"
    title = "The storage of the files cannot be reached"
    status = 503
    transient = True
    retry_after = 10


DAMAGED = (
    "The stored file of this model is damaged and is not given out. Sending the same file again "
    "puts it right; a backup has it, too."
)


@dataclass(frozen=True)
class BlobEntry:
    """``changed_at`` in seconds since 1970."""

    checksum: str
    size: int
    changed_at: float


class Blob(Protocol):
    """One stored file, open. Not for use by several threads at once."""

    @property
    def size(self) -> int: ...

    def read_at(self, offset: int, count: int) -> bytes:
        """So many bytes, fewer at the end only. Raises OSError."""

    def close(self) -> None: ...


class Blobs(Protocol):
    @property
    def takes_files(self) -> bool:
        """Whether ``keep`` moves a file; else it copies, and the file stays where it is."""

    def send(self, path: Path, checksum: str) -> None:
        """Do what lasts of ``keep`` beforehand, without the lock."""

    def keep(self, path: Path, checksum: str, *, anew: bool = False) -> None:
        """Keep a file, durably.

        Parameters
        ----------
        anew : what is there under this name is damaged
        """

    def take_back(self, checksum: str, path: Path) -> bool:
        """Undo ``keep``: the bytes are at ``path`` again. False when they cannot be."""

    def remove(self, checksum: str) -> None:
        """Durably; also when there is none."""

    def has(self, checksum: str) -> bool: ...

    def open(self, checksum: str) -> Blob:
        """Raises FileNotFoundError."""

    def borrow(self, checksum: str) -> AbstractContextManager[Path]:
        """The whole file on this machine's disk, to be opened within the block.

        Raises
        ------
        FileNotFoundError, DamagedFile, InsufficientStorage
        """

    def list_all(self) -> Iterator[BlobEntry]:
        """Whatever is there, in no order."""

    def ask(self) -> None:
        """Raises HeritageError when files cannot be had now."""

    def give_room(self) -> None:
        """Give up what is on this machine's disk only to be quicker."""


class FolderBlobs:
    """Files in a folder on the disk to which they are received."""

    takes_files = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get_path(self, checksum: str) -> Path:
        return self.folder / checksum

    def send(self, path: Path, checksum: str) -> None:
        """Renaming does not last."""

    # A rename replaces what is there, damaged or not.
    def keep(self, path: Path, checksum: str, *, anew: bool = False) -> None:  # noqa: ARG002
        path.replace(self.get_path(checksum))
        sync_folder(self.folder)

    def take_back(self, checksum: str, path: Path) -> bool:
        try:
            self.get_path(checksum).replace(path)
        except FileNotFoundError:
            return False
        sync_folder(path.parent)
        sync_folder(self.folder)
        return True

    def remove(self, checksum: str) -> None:
        self.get_path(checksum).unlink(missing_ok=True)
        sync_folder(self.folder)

    def has(self, checksum: str) -> bool:
        return self.get_path(checksum).is_file()

    def open(self, checksum: str) -> Blob:
        return _FolderBlob(self.get_path(checksum))

    def borrow(self, checksum: str) -> AbstractContextManager[Path]:
        return nullcontext(self.get_path(checksum))

    def list_all(self) -> Iterator[BlobEntry]:
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    found = entry.stat(follow_symlinks=False)
                    yield BlobEntry(entry.name, found.st_size, found.st_mtime)

    def ask(self) -> None:
        """It is on the disk that is looked at anyway."""

    def give_room(self) -> None:
        """There is nothing that would be had elsewhere."""


class _FolderBlob:
    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size

    def read_at(self, offset: int, count: int) -> bytes:
        return os.pread(self._file.fileno(), count, offset)

    def close(self) -> None:
        self._file.close()


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
