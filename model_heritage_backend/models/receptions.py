"""All uploads that may break off and go on: their folder, their turns, their limits."""

from __future__ import annotations

import fcntl
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from model_heritage_backend.errors import (
    FileTooLarge,
    HeritageError,
    InsufficientStorage,
    NotFound,
)
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.reception import (
    RECORD_SUFFIX,
    Reception,
    UploadRecord,
    steady_time,
)
from model_heritage_backend.models.staged_files import format_bytes

logger = logging.getLogger(__name__)

FOLDER = "resumable"
KEPT = 1000
"""How many unfinished uploads there may be, and how many settled ones can still be asked for."""
TURN_SECONDS = 2.0
BUSY = "Another request works on this upload; try again."
UPLOAD_ID = re.compile(r"u_[0-9a-f]{32}")


class UploadBusy(HeritageError):
    """Another request is writing to the same upload."""

    type = "upload-busy"
    title = "Another request works on this upload"
    status = 423


class Receptions:
    """The folder ``resumable/``. If this process alone uses it, what is in memory is the truth.

    Where several do, the files are: an upload is looked at again whenever it is asked for, and
    whoever changes it holds a lock on a file beside it.

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
        """Take over what a former process left, and remove what cannot be gone on with. Where there
        are others, that is theirs."""
        self.folder.mkdir(exist_ok=True)
        if not self._files.is_alone:
            return []
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
        self._find_others()
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
        reception = self._find(upload_id)
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
                raise UploadBusy(BUSY)
        try:
            with self._lock_for_all(reception, seconds=TURN_SECONDS):
                if self._find(upload_id, holding=True) is not reception:
                    raise NotFound("There is no such upload any more.")
                if not self._files.is_alone:
                    reception.mend()
                yield reception
        finally:
            reception.turn.release()

    def _find(self, upload_id: str, *, holding: bool = False) -> Reception | None:
        """An upload as it is now; ``holding`` its turn in this process or not."""
        with self._lock:
            known = self._receptions.get(upload_id)
        if self._files.is_alone or UPLOAD_ID.fullmatch(upload_id) is None:
            return known
        try:
            if known is None:
                found = Reception.find(self.folder / (upload_id + RECORD_SUFFIX))
                with self._lock:
                    return self._receptions.setdefault(upload_id, found)
            # Whoever has the turn here knows best.
            if holding or known.turn.acquire(blocking=False):
                try:
                    known.refresh()
                finally:
                    if not holding:
                        known.turn.release()
        except FileNotFoundError:
            with self._lock:
                self._receptions.pop(upload_id, None)
            return None
        except (ValueError, TypeError, KeyError):
            logger.error("the record of an unfinished upload is damaged: %s", upload_id)
            return None
        return known

    def _find_others(self) -> None:
        """Uploads that were announced at other processes count, too."""
        if not self._files.is_alone:
            for path in self.folder.glob(f"*{RECORD_SUFFIX}"):
                self._find(path.name.removesuffix(RECORD_SUFFIX))

    @contextmanager
    def _lock_for_all(self, reception: Reception, *, seconds: float) -> Iterator[None]:
        """Held against other processes. Raises UploadBusy."""
        if self._files.is_alone:
            yield
            return
        deadline = time.monotonic() + seconds
        with reception.lock_path.open("ab") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise UploadBusy(BUSY) from None
                    time.sleep(0.02)
            try:
                yield
            finally:
                # Of what is settled, nobody changes anything any more.
                if reception.record.state.settled:
                    reception.lock_path.unlink(missing_ok=True)

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
                    with self._lock_for_all(reception, seconds=0.0):
                        # It may have gone on since it was looked at.
                        found = self._find(reception.record.id, holding=True)
                        if found is reception and is_unneeded(reception):
                            self.remove(reception)
                            removed += 1
                except UploadBusy:
                    continue
                finally:
                    reception.turn.release()
        return removed

    def get_expiry(self, reception: Reception) -> datetime:
        """When it expires unless something happens to it before."""
        return datetime.fromtimestamp(reception.changed_at, UTC) + self._expiry

    def _is_over(self, reception: Reception) -> bool:
        return reception.changed_at + self._expiry.total_seconds() <= steady_time()
