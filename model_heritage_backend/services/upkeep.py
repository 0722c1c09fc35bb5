"""What a server does for its data by itself: backups at intervals, reading the newest of them as a
restoring would, reading its own files again, and cleaning up.

All run in one quiet thread. What they came to is told by ``get_state``, and in the log when
something is wrong.
"""

from __future__ import annotations

import functools
import json
import logging
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from model_heritage_backend.errors import HeritageError, InvalidRequest
from model_heritage_backend.models.blobs import Blobs, StorageUnavailable
from model_heritage_backend.models.sound_files import SoundFiles
from model_heritage_backend.services.backups import (
    LIST,
    TIME_FORMAT,
    find_time,
    make_backup,
    verify_backup,
)

logger = logging.getLogger(__name__)

NOTE = "verified.json"
"""In a backup that was read again: when, and what was wrong with it."""
BACKUP_NAME = re.compile(r"heritage-(\d{6,})-\d{8}T\d{6}Z")
LOOK_SECONDS = 20.0
RETRY_SECONDS = 600.0
"""After a backup that failed or could not be read again, or a storage that did not answer."""
CLEANING_SECONDS = 3600.0
"""How often it is asked whether a clean-up is due."""
STOP_SECONDS = 10.0
ROUND_SHARE = 0.1
UNEXPECTED = "Something unexpected went wrong; the server's log has the details."


class _Stopping(Exception):
    """The server stops; what was begun is begun anew after its next start."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    backup_folder : where backups go; None for no backups
    backup_every : time between two of them
    backup_keep : how many whole ones are kept
    scrub_every : time in which every file is read once, and a backup; None for never
    clean_every : time between two clean-ups; None for never
    """

    backup_folder: Path | None = None
    backup_every: timedelta = timedelta(hours=24)
    backup_keep: int = 7
    scrub_every: timedelta | None = None
    clean_every: timedelta | None = None


class Upkeep:
    """A thread that follows a plan.

    Parameters
    ----------
    data_dir : of the server, with its database
    sound_files, blobs : the stored files, and where they are
    list_checksums : of all models
    clean_up : starts a clean-up if there was none for so long

    Raises
    ------
    InvalidRequest
        When backups would lie in the data folder.
    """

    def __init__(
        self,
        data_dir: Path,
        plan: Plan,
        *,
        sound_files: SoundFiles,
        blobs: Blobs,
        list_checksums: Callable[[], set[str]],
        clean_up: Callable[[timedelta], object] = lambda _: None,
    ) -> None:
        folder = plan.backup_folder
        if folder is not None and folder.resolve().is_relative_to(data_dir.resolve()):
            raise InvalidRequest("Backups in the data folder (backup_folder) would go with it.")
        self._data_dir = data_dir
        self.plan = plan
        self._sound_files = sound_files
        self._blobs = blobs
        self._list_checksums = list_checksums
        self._clean_up = clean_up
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_on, name="upkeep", daemon=True)
        self._next_try = self._next_verifying = 0.0
        self._problem: str | None = None
        self._unread: list[str] = []
        self._read_at = 0.0
        self._pace = self._next_read = self._next_round = 0.0
        self._next_cleaning = 0.0

    def start(self) -> None:
        plan = self.plan
        if plan.backup_folder or plan.scrub_every or plan.clean_every:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def get_state(self) -> dict[str, Any]:
        """For people: what there is of backups, and which files are damaged."""
        made = self.list_backups()
        notes = [note for path in made if (note := _read_note(path)) is not None]
        damaged = [note.problems for note in notes if note.problems]
        return {
            "backups": len(made),
            "last_backup_at": _find_time(made[-1]) if made else None,
            "last_verified_at": max((n.at for n in notes if not n.problems), default=None),
            "backup_problem": self._problem or (" ".join(damaged[-1][:3]) if damaged else None),
            "damaged_files": self._sound_files.list_damaged(),
        }

    # Backups -----------------------------------------------------------------------------------

    def list_backups(self) -> list[Path]:
        """Whole ones, in the order in which they were made, whatever the clock said."""
        return [path for path in self._list_folders() if (path / LIST).is_file()]

    def _list_folders(self) -> list[Path]:
        folder = self.plan.backup_folder
        if folder is None or not folder.is_dir():
            return []
        named = [path for path in folder.iterdir() if BACKUP_NAME.fullmatch(path.name)]
        return sorted(named, key=_get_number)

    def is_due(self) -> bool:
        """Whether it is time for a backup: also when the last one is from the future, as the clock
        has been set back since."""
        if self.plan.backup_folder is None or time.monotonic() < self._next_try:
            return False
        made = self.list_backups()
        last = find_time(made[-1]) if made else None
        if last is None:
            return True
        age = datetime.now(UTC) - last
        return not timedelta(0) <= age < self.plan.backup_every

    def back_up(self) -> Path:
        """Make a backup now, then remove what is more than is kept.

        Raises
        ------
        HeritageError
            When it cannot be made. What was begun is removed.
        """
        folder = self.plan.backup_folder
        if folder is None:
            raise InvalidRequest("No folder for backups is set (backup_folder).")
        made = self.list_backups()
        for path in set(self._list_folders()) - set(made):
            # What the end of a process left.
            shutil.rmtree(path)
        number = _get_number(made[-1]) + 1 if made else 1
        target = folder / f"heritage-{number:06d}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        # What was found damaged must not go on from one to the next.
        note = _read_note(made[-1]) if made else None
        base = made[-1] if made and not (note and note.problems) else None
        report = make_backup(
            self._data_dir, target, advance=self._check_stop, base=base, blobs=self._blobs
        )
        if report.note is not None:
            logger.info("backup %s: %s", target.name, report.note)
        for problem in report.problems:
            logger.error("backup %s: %s", target.name, problem)
        self._problem = " ".join(report.problems[:3]) or None
        for path in [*made, target][: -self.plan.backup_keep]:
            # First the list: without it, what is left of a backup is not taken for one.
            (path / LIST).unlink()
            shutil.rmtree(path)
        logger.info("backup %s: %d files, %d bytes", target.name, report.files, report.bytes)
        return target

    def is_verifying_due(self) -> bool:
        """Whether none of the backups has been read again for as long as a round takes."""
        made = self.list_backups()
        if self.plan.scrub_every is None or not made:
            return False
        looked = max((n.at for path in made if (n := _read_note(path)) is not None), default=None)
        return looked is None or not timedelta(0) <= datetime.now(UTC) - looked < (
            self.plan.scrub_every
        )

    def verify(self) -> list[str]:
        """Read the newest backup whole, at half of the speed that there is; what is wrong with it.

        Raises
        ------
        InvalidRequest
            When there is none.
        """
        made = self.list_backups()
        if not made:
            raise InvalidRequest("There is no backup yet.")
        newest = made[-1]
        self._read_at = time.monotonic()
        problems = verify_backup(newest, advance=self._rest).problems
        content = {"at": datetime.now(UTC).strftime(TIME_FORMAT), "problems": problems}
        (newest / NOTE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        for problem in problems:
            logger.error("backup %s: %s", newest.name, problem)
        if not problems:
            logger.info("backup %s was read again: no problem", newest.name)
        return problems

    def _rest(self, _done: int) -> None:
        """As long as the piece before took, so that others get at the disk, too."""
        if self._stopping.wait(time.monotonic() - self._read_at):
            raise _Stopping
        self._read_at = time.monotonic()

    # Reading files again -----------------------------------------------------------------------

    def scrub(self) -> int:
        """Read every stored file; how many are damaged."""
        damaged = 0
        for checksum in sorted(self._list_checksums()):
            damaged += not self._sound_files.check(checksum)
            self._check_stop(0)
        return damaged

    def _scrub_slowly(self) -> None:
        """What is due by now of a round that takes a tenth of the time that there is for it, so
        that nobody notices."""
        if self.plan.scrub_every is None:
            return
        every = self.plan.scrub_every.total_seconds()
        if not self._unread and time.monotonic() >= self._next_round:
            self._unread = sorted(self._list_checksums())
            self._pace = every * ROUND_SHARE / max(len(self._unread), 1)
            self._next_read, self._next_round = time.monotonic(), time.monotonic() + every
        while self._unread and time.monotonic() >= self._next_read:
            try:
                self._sound_files.check(self._unread[-1])
            except StorageUnavailable:
                # It says nothing of the file, and is in the log.
                self._next_read = time.monotonic() + RETRY_SECONDS
                return
            self._unread.pop()
            self._next_read += self._pace
            self._check_stop(0)

    # Thread ------------------------------------------------------------------------------------

    def _keep_on(self) -> None:
        while not self._stopping.wait(min(LOOK_SECONDS, self.plan.backup_every.total_seconds())):
            try:
                for what, do in (
                    ("the backup", self._back_up_in_time),
                    ("reading a backup again", self._verify_in_time),
                ):
                    self._problem = self._attempt(what, do) or self._problem
                self._attempt("the clean-up", self._clean_in_time)
                self._attempt("reading files again", self._scrub_slowly)
            except _Stopping:
                return

    def _attempt(self, what: str, do: Callable[[], None]) -> str | None:
        """Why it failed, if it did: that keeps nothing else from being done."""
        try:
            do()
        except _Stopping:
            raise
        except HeritageError as error:
            problem = error.detail
        except OSError as error:
            problem = f"{error.strerror}."
        except Exception:
            # The thread must outlive any failure: nobody else would make backups.
            logger.exception("%s failed", what)
            problem = UNEXPECTED
        else:
            return None
        logger.error("%s failed: %s", what, problem)
        return problem

    def _back_up_in_time(self) -> None:
        if self.is_due():
            self._next_try = time.monotonic() + RETRY_SECONDS
            self.back_up()
            self._next_try = 0.0

    def _verify_in_time(self) -> None:
        if time.monotonic() >= self._next_verifying and self.is_verifying_due():
            self._next_verifying = time.monotonic() + RETRY_SECONDS
            self.verify()

    def _clean_in_time(self) -> None:
        if self.plan.clean_every is not None and time.monotonic() >= self._next_cleaning:
            self._next_cleaning = time.monotonic() + CLEANING_SECONDS
            self._clean_up(self.plan.clean_every)

    def _check_stop(self, _done: int) -> None:
        if self._stopping.is_set():
            raise _Stopping


@dataclass(frozen=True)
class _Note:
    at: datetime
    problems: list[str]


def _find_time(backup: Path) -> datetime | None:
    """As ``find_time``, remembered: a backup's list may be long, and Prometheus asks often."""
    return _recall_time(backup, (backup / LIST).stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _recall_time(backup: Path, _changed: int) -> datetime | None:
    return find_time(backup)


def _read_note(backup: Path) -> _Note | None:
    """None for a backup that was not read again, or whose note is none."""
    try:
        content = json.loads((backup / NOTE).read_text(encoding="utf-8"))
        at = datetime.strptime(content["at"], TIME_FORMAT).replace(tzinfo=UTC)
        return _Note(at, [str(problem) for problem in content["problems"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _get_number(path: Path) -> int:
    found = BACKUP_NAME.fullmatch(path.name)
    return int(found[1]) if found else 0
