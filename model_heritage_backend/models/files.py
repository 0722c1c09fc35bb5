"""Content-addressed, durable storage of the uploaded files.

The way of an upload, so that killing the process anywhere loses nothing that was acknowledged and
leaves nothing half done: bytes are hashed while they are written below ``staging/``, the file is
synced, checked, renamed to ``blobs/<sha256>``, the folder is synced, and only then does one
database transaction name it. While a blob and its row come or go, an empty file
``staging/<sha256>`` marks it. At start, what lies in ``staging/`` is the remains of what nobody was
told about: uploads go, and so do marked blobs without a row. Unmarked blobs are never removed, not
even when the server is started with the wrong database.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from model_heritage_backend.errors import (
    Conflict,
    InsufficientStorage,
    InvalidRequest,
)
from model_heritage_backend.models.ballast import Ballast
from model_heritage_backend.models.blobs import (
    Blobs,
    FolderBlobs,
    StorageUnavailable,
    sync_folder,
)
from model_heritage_backend.models.staged_files import (
    PIECE,
    StagedFile,
    format_bytes,
    room_on_disk,
)

logger = logging.getLogger(__name__)
CHECKSUM_LENGTH = 64
SHARE_SECONDS = 60.0
"""How long another server of the same folder may take to start."""
RESERVE = 64 << 20
"""Bytes that must stay free for the database when a file is accepted."""


class FileStore:
    """The data folder: ``staging/``, ``blobs/`` and the lock that keeps a second server away.

    ``blobs`` may be elsewhere: see ``storage.open_files``.

    ``commit_lock`` is held from looking a checksum up until its row is committed or its blob is
    removed: the loser of two equal uploads must not take away the winner's blob. Where several
    processes share the folder, their service puts a lock in its place that they share, too.

    Parameters
    ----------
    max_file_bytes : of one file
    reserve_bytes : what uploads leave free on the disk
    """

    def __init__(
        self, data_dir: Path, *, max_file_bytes: int, reserve_bytes: int = RESERVE
    ) -> None:
        self.data_dir = data_dir
        self.ballast = Ballast(data_dir)
        self._reserve_bytes = reserve_bytes
        self.staging = data_dir / "staging"
        self.blobs: Blobs = FolderBlobs(data_dir / "blobs")
        self.max_file_bytes = max_file_bytes
        self.commit_lock: AbstractContextManager[object] = threading.Lock()
        self.is_alone = True
        self._staged: weakref.WeakSet[StagedFile] = weakref.WeakSet()
        self._staged_lock = threading.Lock()
        self._lock_file: BinaryIO | None = None
        try:
            with room_on_disk():
                self.staging.mkdir(parents=True, exist_ok=True)
                (data_dir / "blobs").mkdir(exist_ok=True)
        except OSError as error:
            raise InvalidRequest(
                f"The data folder {data_dir} cannot be used: {error.strerror}."
            ) from error

    def acquire(self, *, shared: bool = False) -> None:
        """Claim the folder for this process; released by ``release`` or the process's end.

        Parameters
        ----------
        shared : together with others that share it; ``is_alone`` then tells that there is nobody
            else, which stays so until ``share``

        Raises
        ------
        Conflict
            When another server has it.
        """
        lock_file = (self.data_dir / "server.lock").open("ab")
        try:
            self.is_alone = _try_lock(lock_file, fcntl.LOCK_EX)
            deadline = time.monotonic() + (SHARE_SECONDS if shared else 0.0)
            while not self.is_alone and not (shared and _try_lock(lock_file, fcntl.LOCK_SH)):
                if time.monotonic() >= deadline:
                    raise BlockingIOError
                time.sleep(0.1)
        except BlockingIOError:
            lock_file.close()
            raise Conflict(
                "Another Model Heritage server is using this data folder; stop it first, or set "
                "MODEL_HERITAGE_DATA_DIR to another folder."
            ) from None
        self._lock_file = lock_file

    def share(self) -> None:
        """Let others in that share the folder, after what only one may do."""
        if self._lock_file is not None and self.is_alone:
            fcntl.flock(self._lock_file, fcntl.LOCK_SH)
            self.is_alone = False

    def release(self) -> None:
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    def stage(self, *, expected_bytes: int | None = None) -> StagedFile:
        """A new file to receive into.

        Parameters
        ----------
        expected_bytes : announced size, to refuse what cannot fit before it is sent

        Raises
        ------
        FileTooLarge, InsufficientStorage
        """
        if expected_bytes is not None:
            self.check_room(expected_bytes)
        staged = StagedFile(
            self.staging / uuid.uuid4().hex, limit=self.max_file_bytes, check_room=self.check_room
        )
        with self._staged_lock:
            self._staged.add(staged)
        return staged

    def list_staged(self) -> set[Path]:
        """Files that somebody is receiving, or has received and not yet published or closed."""
        with self._staged_lock:
            return {staged.path for staged in self._staged if not staged.closed}

    def check_room(self, expected_bytes: int) -> None:
        """Raises InsufficientStorage when so much cannot fit, or the reserve would be touched."""
        if self._has_room(expected_bytes):
            return
        self.blobs.give_room()
        if not self._has_room(expected_bytes):
            raise InsufficientStorage(
                f"There is no room left on the server for {format_bytes(expected_bytes)}."
            )

    def _has_room(self, expected_bytes: int) -> bool:
        disk = os.statvfs(self.staging)
        return expected_bytes + self._reserve_bytes <= disk.f_bavail * disk.f_frsize

    def receive(
        self, read: Callable[[int], bytes], *, expected_bytes: int | None = None
    ) -> StagedFile:
        """Stage everything that ``read(size)`` gives, until it gives nothing; then ``finish``.

        Raises
        ------
        InvalidRequest
            When it is less than was announced.
        FileTooLarge, InsufficientStorage
        """
        staged = self.stage(expected_bytes=expected_bytes)
        try:
            while piece := read(PIECE):
                staged.write(piece)
            # A connection that is closed early looks like the end of the body.
            if expected_bytes is not None and staged.size < expected_bytes:
                raise InvalidRequest(
                    f"The body broke off after {staged.size} of {expected_bytes} bytes."
                )
            staged.finish()
        except BaseException:
            staged.close()
            raise
        return staged

    @contextmanager
    def sending(self, staged: StagedFile, is_known: Callable[[str], bool]) -> Iterator[None]:
        """Do before the block what lasts of ``publish``, so that ``commit_lock`` is held briefly.

        Parameters
        ----------
        is_known : whether a row names a checksum; asked when the block did not ``confirm``
        """
        if self.blobs.takes_files:
            yield
            return
        staged.finish()
        try:
            self.mark(staged.checksum)
            self.blobs.send(staged.path, staged.checksum)
            yield
        finally:
            with self.commit_lock:
                if (self.staging / staged.checksum).exists():
                    self._settle(staged.checksum, is_known)

    def publish(self, staged: StagedFile, *, anew: bool = False) -> None:
        """Move a finished file to its place, durably, and mark it until ``confirm``.

        Call with ``commit_lock`` held, as for the following methods.

        Parameters
        ----------
        anew : what is there of it is damaged
        """
        staged.finish()
        with room_on_disk():
            self.mark(staged.checksum)
            self.blobs.keep(staged.path, staged.checksum, anew=anew)

    def mark(self, checksum: str) -> None:
        """Note, durably, that a blob and its row are about to come or go."""
        with room_on_disk():
            (self.staging / checksum).touch()
            sync_folder(self.staging)

    def confirm(self, checksum: str) -> None:
        """The blob's row is committed (or is there still): the mark goes."""
        (self.staging / checksum).unlink(missing_ok=True)

    def remove(self, checksum: str) -> None:
        """Take a blob away, and its mark; its row must be gone already.

        Where the storage does not answer, the mark stays, and the next start does it.
        """
        try:
            self.blobs.remove(checksum)
        except StorageUnavailable:
            logger.error("the file %s is not removed before the next start", checksum)
            return
        self.confirm(checksum)

    def retract(self, checksum: str, path: Path) -> bool:
        """Undo ``publish`` of what has no row: its bytes go back to ``path``, durably.

        Returns
        -------
        False when the bytes are not there.
        """
        if not (self.staging / checksum).exists():
            # Files that are copied into the store have not left their place.
            return not self.blobs.takes_files and path.is_file()
        if not self.blobs.take_back(checksum, path):
            return False
        self.confirm(checksum)
        return True

    def sweep(self, is_known: Callable[[str], bool]) -> int:
        """Remove what unfinished uploads and deletions left; only at start, before any upload.

        Parameters
        ----------
        is_known : whether a row names a checksum

        Returns
        -------
        Number of files removed from ``staging/`` and ``blobs/``, marks not counted.
        """
        removed = 0
        for path in sorted(self.staging.iterdir()):
            if not path.is_file():
                continue
            if len(path.name) != CHECKSUM_LENGTH:
                removed += 1
                path.unlink()
            else:
                # Servers on other machines may be sending the same bytes to the same place.
                with self.commit_lock:
                    removed += self._settle(path.name, is_known)
        return removed

    def _settle(self, checksum: str, is_known: Callable[[str], bool]) -> bool:
        """End what a mark stands for; whether a blob went."""
        if is_known(checksum):
            self.confirm(checksum)
            return False
        there = self.blobs.has(checksum)
        self.remove(checksum)
        return there

    def list_missing(self, known_checksums: set[str]) -> list[str]:
        """Checksums that the database knows and whose files are nowhere."""
        return sorted(known_checksums.difference(blob.checksum for blob in self.blobs.list_all()))


def _try_lock(file: BinaryIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
