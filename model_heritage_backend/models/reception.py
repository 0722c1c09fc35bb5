"""One upload that may break off and go on: its bytes, and what is known of it, beside each other.

The offset is the size of the file of bytes. Bytes are written without a buffer, so what was written
survives the end of the process; they are synced before an offset is acknowledged, so that survives
a power cut, too. What is known changes by replacing a small JSON file, durably.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from io import FileIO
from pathlib import Path
from typing import Any

from model_heritage_backend.errors import FileTooLarge, HeritageError, InvalidRequest
from model_heritage_backend.models.blobs import sync_folder
from model_heritage_backend.models.staged_files import (
    PIECE,
    ReceivedFile,
    format_bytes,
    room_on_disk,
)

LEAST_PIECE = 1 << 16
"""Small, as what a slow sender has sent of a piece is lost when the connection breaks. A quick one
would be held up by them: what the server has read ahead is copied for each."""
QUICK_SECONDS = 0.1
LOCK_SUFFIX = ".lock"
RECORD_SUFFIX = ".json"
NEW_SUFFIX = ".new"
_CLOCK_AT_START = time.time() - time.monotonic()


def steady_time() -> float:
    """Seconds since 1970 by the clock as it was when this process began: setting the clock makes
    no upload expire."""
    return _CLOCK_AT_START + time.monotonic()


class ChecksumMismatch(HeritageError):
    """Bytes did not arrive as they were sent; none of the request's are kept."""

    type = "checksum-mismatch"
    title = "The bytes do not have their checksum"
    status = 460


class UploadState(StrEnum):
    RECEIVING = "receiving"
    RECEIVED = "received"
    """Whole, and waiting: for the other parts of its model, or for another try."""
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"

    @property
    def settled(self) -> bool:
        return self in (UploadState.DONE, UploadState.FAILED)


@dataclass(frozen=True)
class UploadRecord:
    """What is known of an upload besides its bytes.

    ``metadata`` are the sender's words by name, ``sent_metadata`` the same as they were sent.
    ``attempts`` counts how often the whole file was looked at without coming to an end.
    ``unverified_from`` is set while bytes arrive whose checksum is not checked yet. ``owner_id``
    is who announced it.
    """

    id: str
    length: int
    metadata: dict[str, str] = field(default_factory=dict)
    sent_metadata: str = ""
    state: UploadState = UploadState.RECEIVING
    checksum: str | None = None
    attempts: int = 0
    unverified_from: int | None = None
    model_id: str | None = None
    job_id: str | None = None
    existing_id: str | None = None
    problem: dict[str, Any] | None = None
    owner_id: str | None = None


@dataclass(frozen=True)
class Check:
    """The checksum that the bytes of one request must have: hashlib's name, digest."""

    algorithm: str
    digest: bytes


def _read_record(path: Path) -> UploadRecord:
    values = json.loads(path.read_text(encoding="utf-8"))
    return UploadRecord(**values | {"state": UploadState(values["state"])})


class Reception:
    """An upload's two files. Only the holder of ``turn`` changes them: see ``Receptions.hold``.

    While bytes are awaited, ``interrupt`` ends the waiting.
    """

    def __init__(self, folder: Path, record: UploadRecord) -> None:
        self.path = folder / record.id
        self.record = record
        self.offset = 0
        self.changed_at = steady_time()
        self.turn = threading.Lock()
        self.interrupt: Callable[[], None] | None = None
        self._record_path = folder / (record.id + RECORD_SUFFIX)
        self.lock_path = folder / (record.id + LOCK_SUFFIX)
        self._hash = hashlib.sha256()
        self._hashed = 0

    @classmethod
    def create(cls, folder: Path, record: UploadRecord) -> Reception:
        """A new one, durable."""
        reception = cls(folder, record)
        with room_on_disk():
            reception.path.touch(exist_ok=False)
        reception.change()
        return reception

    @classmethod
    def load(cls, record_path: Path) -> Reception:
        """What a former process left. Raises ValueError or TypeError when it is damaged."""
        reception = cls.find(record_path)
        reception.mend()
        return reception

    @classmethod
    def find(cls, record_path: Path) -> Reception:
        """What another process has or left, to look at. Raises as ``load``."""
        reception = cls(record_path.parent, _read_record(record_path))
        reception.refresh()
        return reception

    def refresh(self) -> None:
        """See what other processes did to it. Raises FileNotFoundError when it is gone."""
        self.record = _read_record(self._record_path)
        latest = self._record_path
        if self.record.state.settled:
            self.offset = self.record.length
        elif self.path.is_file():
            latest = self.path
            self.measure()
            # Bytes whose checksum nobody has checked do not count.
            if self.record.unverified_from is not None:
                self.offset = min(self.offset, self.record.unverified_from)
        self.changed_at = latest.stat().st_mtime
        if self._hashed > self.offset and not self.record.state.settled:
            self._hash, self._hashed = hashlib.sha256(), 0

    def mend(self) -> None:
        """Clear away what a process that has died left half done; for the holder of the turn."""
        if self.record.state.settled:
            self.path.unlink(missing_ok=True)
        if self.record.unverified_from is not None:
            os.truncate(self.path, self.record.unverified_from)
            self.measure()
            self.change(unverified_from=None)

    def measure(self) -> None:
        """Read the offset from the file of bytes."""
        self.offset = self.path.stat().st_size

    @property
    def complete(self) -> bool:
        return self.offset == self.record.length

    def change(self, **values: Any) -> None:
        """Set fields of the record, durably."""
        record = replace(self.record, **values)
        text = json.dumps(asdict(record))
        new = self._record_path.with_suffix(NEW_SUFFIX)
        with room_on_disk():
            with new.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._record_path)
            sync_folder(new.parent)
        self.record = record
        self.changed_at = steady_time()

    def append(
        self, read: Callable[[int], bytes], *, expected: int | None, check: Check | None
    ) -> None:
        """Write what ``read(size)`` gives until it gives nothing, after what is there.

        Parameters
        ----------
        expected : announced number of bytes
        check : the checksum they must have; without it, what comes before a break is kept

        Raises
        ------
        FileTooLarge
            When it is more than is missing; nothing of it is kept.
        ChecksumMismatch
            Nothing of it is kept.
        InvalidRequest
            When it broke off.
        InsufficientStorage
        """
        start = self.offset
        if expected is not None and start + expected > self.record.length:
            raise self._too_much()
        self._catch_up()
        before = self._hash.copy()
        unverified_from = None if check is None else start
        if self.record.unverified_from != unverified_from:
            self.change(unverified_from=unverified_from)
        try:
            digest = self._receive(read, check)
            sent = self.offset - start
            if expected is not None and sent < expected:
                raise InvalidRequest(f"The body broke off after {sent} of {expected} bytes.")
            if check is not None and digest != check.digest:
                raise ChecksumMismatch("The bytes do not have the checksum sent with them.")
        except BaseException as error:
            if check is not None or isinstance(error, FileTooLarge):
                os.truncate(self.path, start)
                self.offset = self._hashed = start
                self._hash = before
            raise
        finally:
            if check is not None:
                self.change(unverified_from=None)

    def _receive(self, read: Callable[[int], bytes], check: Check | None) -> bytes | None:
        """Copy, hash and sync; the digest that is to be checked."""
        digest = None if check is None else hashlib.new(check.algorithm, usedforsecurity=False)
        with self.path.open("r+b", buffering=0) as file:
            file.seek(self.offset)
            try:
                for piece in _read_pieces(read):
                    if self.offset + len(piece) > self.record.length:
                        raise self._too_much()
                    if digest is not None:
                        digest.update(piece)
                    self._write(file, memoryview(piece))
            finally:
                with room_on_disk():
                    os.fsync(file.fileno())
        return None if digest is None else digest.digest()

    def _write(self, file: FileIO, piece: memoryview) -> None:
        """All of it, unless the disk is full: then what fits, and the offset says so."""
        while piece:
            with room_on_disk():
                written = file.write(piece)
            self._hash.update(piece[:written])
            self.offset += written
            self._hashed = self.offset
            piece = piece[written:]
        self.changed_at = steady_time()

    def _too_much(self) -> FileTooLarge:
        return FileTooLarge(
            f"This upload was announced with {format_bytes(self.record.length)}; the request has "
            "more than is missing."
        )

    def _catch_up(self) -> None:
        """After a restart, hash once what is there."""
        if self._hashed == self.offset:
            return
        with self.path.open("rb") as file:
            file.seek(self._hashed)
            while piece := file.read(PIECE):
                self._hash.update(piece)
        self._hashed = self.offset

    def open_whole(self) -> ReceivedFile:
        """The complete file, as other uploads are handed over; its bytes stay this upload's."""
        self._catch_up()
        return ReceivedFile(self.path, size=self.offset, sha256=self._hash)

    def settle(self, state: UploadState, **values: Any) -> None:
        """Set the last fields of the record; neither the bytes nor turns are needed any more."""
        self.change(state=state, **{"problem": None} | values)
        # Of one that the end of the process interrupted, nobody has counted the bytes.
        self.offset = self.record.length
        self.path.unlink(missing_ok=True)
        self.lock_path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove both files. The record goes first: bytes without one are removed at start."""
        self._record_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.lock_path.unlink(missing_ok=True)


def _read_pieces(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Until there are no more: the larger, the quicker they come."""
    size, began = LEAST_PIECE, time.monotonic()
    while piece := read(size):
        is_quick = time.monotonic() - began < QUICK_SECONDS
        size = min(2 * size, PIECE) if is_quick else LEAST_PIECE
        yield piece
        began = time.monotonic()
