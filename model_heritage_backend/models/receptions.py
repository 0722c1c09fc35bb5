"""All uploads that may break off and go on: their folder, their turns, their limits."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from model_heritage_backend.errors import (
    FileTooLarge,
    HeritageError,
    InsufficientStorage,
    NotFound,
)
from model_heritage_backend.models.files import FileStore, format_bytes
from model_heritage_backend.models.reception import (
    RECORD_SUFFIX,
    Reception,
    UploadRecord,
    steady_time,
)

logger = logging.getLogger(__name__)

FOLDER = "resumable"
KEPT = 1000
"""How many unfinished uploads there may be, and how many settled ones can still be asked for."""
TURN_SECONDS = 2.0


class UploadBusy(HeritageError):
    """Another request is writing to the same upload."""

    type = "upload-busy"
    title = "Another request works on this upload"
    status = 423


class Receptions:
    """The folder ``resumable/``. This process alone uses it, so what is in memory is the truth.

    Parameters
    ----------
    files : where whole files go
    expiry : how long an upload is kept after its last byte or change
    max_bytes : announced lengths of all unfinished uploads together
    """

    def __init__(self, files: FileStore, *, expiry: timedelta, max_bytes: int) -> None:
        self.folder = files.data_dir / FOLDER
        self._files = files
        self._expiry = expiry
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._receptions: dict[str, Reception] = {}

    def load(self) -> list[Reception]:
        """Take over what a former process left, and remove what cannot be gone on with."""
        self.folder.mkdir(exist_ok=True)
        for path in sorted(self.folder.iterdir()):
            if path.suffix != RECORD_SUFFIX:
                continue
            try:
                reception = Reception.load(path)
                self._receptions[reception.record.id] = reception
            except (ValueError, TypeError, KeyError):
                logger.error("the record of an unfinished upload is damaged: %s", path.name)
        known = {name for id_ in self._receptions for name in (id_, id_ + RECORD_SUFFIX)}
        for path in self.folder.iterdir():
            if path.name not in known:
                path.unlink()
        self.remove_expired()
        return list(self._receptions.values())

    def create(
        self,
        length: int,
        *,
        metadata: dict[str, str],
        sent_metadata: str,
        owner_id: str | None = None,
    ) -> Reception:
        """A new upload of ``length`` bytes.

        Raises
        ------
        FileTooLarge, InsufficientStorage
        """
        if length > self._files.max_file_bytes:
            limit = format_bytes(self._files.max_file_bytes)
            raise FileTooLarge(f"The file is larger than the {limit} that this server takes.")
        self._files.check_room(length)
        self.remove_expired()
        record = UploadRecord(
            id=f"u_{secrets.token_hex(16)}",
            length=length,
            metadata=metadata,
            sent_metadata=sent_metadata,
            owner_id=owner_id,
        )
        with self._lock:
            open_ = [r for r in self._receptions.values() if not r.record.state.settled]
            promised = sum(r.record.length for r in open_)
            if len(open_) >= KEPT or promised + length > self._max_bytes:
                raise InsufficientStorage(
                    f"{len(open_)} unfinished uploads wait for {format_bytes(promised)}; finish "
                    "or delete some, or let them expire."
                )
            reception = Reception.create(self.folder, record)
            self._receptions[record.id] = reception
        self._forget_settled()
        return reception

    def get(self, upload_id: str) -> Reception:
        """To look at; to change it, ``hold`` it.

        Raises
        ------
        NotFound
            Also when it has expired.
        """
        with self._lock:
            reception = self._receptions.get(upload_id)
        if reception is None or (self._is_over(reception) and not reception.turn.locked()):
            raise NotFound("There is no such upload; it may have expired.")
        return reception

    def list_open(self) -> list[str]:
        """Ids of those that are neither done nor failed."""
        with self._lock:
            receptions = list(self._receptions.values())
        return [r.record.id for r in receptions if not r.record.state.settled]

    @contextmanager
    def hold(self, upload_id: str) -> Iterator[Reception]:
        """The only one that changes this upload, within the block.

        Raises
        ------
        NotFound
        UploadBusy
            When another request works on it for longer than ``TURN_SECONDS``. One that has only
            waited for bytes all the time is ended: its sender has most likely lost its connection.
        """
        reception = self.get(upload_id)
        before = reception.changed_at
        if not reception.turn.acquire(timeout=TURN_SECONDS):
            interrupt = reception.interrupt
            if interrupt is not None and reception.changed_at == before:
                interrupt()
            if interrupt is None or not reception.turn.acquire(timeout=TURN_SECONDS):
                raise UploadBusy("Another request works on this upload; try again.")
        try:
            if self._receptions.get(upload_id) is not reception:
                raise NotFound("There is no such upload any more.")
            yield reception
        finally:
            reception.turn.release()

    def remove(self, reception: Reception) -> None:
        """Forget an upload that is held, and its bytes."""
        reception.discard()
        with self._lock:
            self._receptions.pop(reception.record.id, None)

    def remove_expired(self) -> int:
        """Remove what nobody went on with in time; how many."""
        return self._remove_idle(self._is_over)

    def _forget_settled(self) -> None:
        """Of those that are done or failed, the oldest are forgotten before they expire."""
        with self._lock:
            changes = [r.changed_at for r in self._receptions.values() if r.record.state.settled]
        if len(changes) > KEPT:
            latest = sorted(changes)[-KEPT]
            self._remove_idle(lambda r: r.record.state.settled and r.changed_at < latest)

    def _remove_idle(self, is_unneeded: Callable[[Reception], bool]) -> int:
        with self._lock:
            receptions = list(self._receptions.values())
        removed = 0
        for reception in receptions:
            if is_unneeded(reception) and reception.turn.acquire(blocking=False):
                try:
                    # It may have gone on since it was looked at.
                    if is_unneeded(reception):
                        self.remove(reception)
                        removed += 1
                finally:
                    reception.turn.release()
        return removed

    def get_expiry(self, reception: Reception) -> datetime:
        """When it expires unless something happens to it before."""
        return datetime.fromtimestamp(reception.changed_at, UTC) + self._expiry

    def _is_over(self, reception: Reception) -> bool:
        return reception.changed_at + self._expiry.total_seconds() <= steady_time()
