"""Stored files as they were received, or not at all: every byte is checked before it is handed out.

A disk may give other bytes than it was given. Files are named by their SHA-256, so that is noticed
by reading a whole one. The first reading from front to back is checked as it goes: its last piece
is held back until all are known to be right, so what is rotten is never whole. It leaves a short
digest of every piece, by which parts are checked afterwards, each before it is handed out.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import threading
from collections import OrderedDict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import xxhash

from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.blobs import DAMAGED, Blob, DamagedFile, sync_folder
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.staged_files import PIECE, room_on_disk

logger = logging.getLogger(__name__)

RECORD = "damaged.json"
REMEMBERED = 4096
"""Files whose digests are kept: 8 bytes for every MiB of each."""


@dataclass
class _Known:
    """What reading a file told; ``pieces`` are of no use before ``whole``."""

    size: int
    pieces: list[int] = field(default_factory=list)
    whole: bool = False


class SoundFiles:
    """Reads what a ``FileStore`` keeps, and remembers what is damaged, also beyond a restart."""

    def __init__(self, files: FileStore) -> None:
        self._files = files
        self._record = files.data_dir / RECORD
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._damaged = _load(self._record)

    def open(self, checksum: str, *, whole: bool) -> SoundFile:
        """To read from any place.

        Parameters
        ----------
        whole : it will be read from front to back, and is of no use before its end: then it needs
            no reading beforehand

        Raises
        ------
        NotFound
            When the file is missing.
        DamagedFile
            When it is known to be damaged.
        """
        if checksum in self._damaged:
            raise DamagedFile(DAMAGED)
        try:
            file = self._files.blobs.open(checksum)
        except FileNotFoundError:
            raise NotFound(
                "The file of this model is missing from the server's data folder."
            ) from None
        return SoundFile(self, checksum, file, whole=whole)

    def check(self, checksum: str) -> bool:
        """Read a file whole; whether it is what it was."""
        known = _Known(0)
        try:
            with closing(self._files.blobs.open(checksum)) as file:
                known = _read_through(file, checksum)
        except OSError as error:
            logger.error("the file %s cannot be read: %s", checksum, error.strerror)
        self.remember(checksum, known)
        return known.whole

    def is_lost(self, checksum: str) -> bool:
        """Whether it is missing or known to be damaged: then the same bytes are welcome again."""
        return checksum in self._damaged or not self._files.blobs.has(checksum)

    def list_damaged(self) -> list[str]:
        return sorted(self._damaged)

    def find(self, checksum: str) -> _Known | None:
        with self._lock:
            return self._known.get(checksum)

    def remember(self, checksum: str, known: _Known) -> None:
        """What reading it from front to back has come to."""
        with self._lock:
            self._known.pop(checksum, None)
            if known.whole:
                self._known[checksum] = known
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            # One that was taken away meanwhile is no damage.
            lost = not known.whole and self._files.blobs.has(checksum)
            if lost == (checksum in self._damaged):
                return
            self._damaged ^= {checksum}
            if lost:
                logger.error(
                    "the file %s is damaged: send it again, or restore it from a backup", checksum
                )
            self._save()

    def forget(self, checksum: str) -> None:
        """It has been replaced or taken away."""
        with self._lock:
            self._known.pop(checksum, None)
            if checksum in self._damaged:
                self._damaged.discard(checksum)
                self._save()

    def _save(self) -> None:
        new = self._record.with_suffix(".new")
        with room_on_disk():
            with new.open("w", encoding="utf-8") as file:
                json.dump(sorted(self._damaged), file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._record)
            sync_folder(new.parent)


class SoundFile(io.RawIOBase):
    """One stored file; ``read`` raises DamagedFile instead of giving what was not received."""

    def __init__(self, owner: SoundFiles, checksum: str, file: Blob, *, whole: bool) -> None:
        super().__init__()
        self._owner = owner
        self._checksum = checksum
        self._file = file
        self.size = file.size
        self._whole = whole
        self._position = 0
        self._piece = b""
        self._number = -1
        # Of a reading from front to back that nobody has done before.
        self._first: _Known | None = None
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = start + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return self.readall()
        if self._position >= self.size:
            return b""
        number, start = divmod(self._position, PIECE)
        if number != self._number:
            self._piece, self._number = self._load(number), number
        part = self._piece[start : start + size]
        self._position += len(part)
        return part

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(PIECE), b""))

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _load(self, number: int) -> bytes:
        known = self._owner.find(self._checksum)
        if known is None and number == 0 and self._whole:
            self._first, self._hash = _Known(self.size), hashlib.sha256()
        if self._first is not None and number != len(self._first.pieces):
            self._first = None
        if known is None and self._first is None:
            if not self._owner.check(self._checksum):
                raise DamagedFile(DAMAGED)
            known = self._owner.find(self._checksum)
        piece = self._file.read_at(number * PIECE, PIECE)
        if self._first is not None:
            self._follow(self._first, piece)
        elif known is not None and known.pieces[number] != xxhash.xxh3_64_intdigest(piece):
            # It was right when it was last read.
            self._owner.check(self._checksum)
            raise DamagedFile(DAMAGED)
        return piece

    def _follow(self, first: _Known, piece: bytes) -> None:
        first.pieces.append(xxhash.xxh3_64_intdigest(piece))
        self._hash.update(piece)
        if len(first.pieces) * PIECE < self.size:
            return
        first.whole = self._hash.hexdigest() == self._checksum
        self._owner.remember(self._checksum, first)
        self._first = None
        if not first.whole:
            raise DamagedFile(DAMAGED)


def _read_through(file: Blob, checksum: str) -> _Known:
    known, digest = _Known(0), hashlib.sha256()
    while piece := file.read_at(known.size, PIECE):
        known.size += len(piece)
        known.pieces.append(xxhash.xxh3_64_intdigest(piece))
        digest.update(piece)
    known.whole = digest.hexdigest() == checksum
    return known


def _load(record: Path) -> set[str]:
    try:
        return set(map(str, json.loads(record.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, TypeError):
        # It is noticed again when the files are read.
        logger.error("the list of damaged files cannot be read")
        return set()
