"""What a server does for its data by itself: backups at intervals, and reading its files again.

Both run in one quiet thread. What they came to is told by ``get_state``, and in the log when
something is wrong.
"""

from __future__ import annotations

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
from model_heritage_backend.models.sound_files import SoundFiles
from model_heritage_backend.services.backups import LIST, find_time, make_backup

logger = logging.getLogger(__name__)

BACKUP_NAME = re.compile(r"heritage-(\d{6,})-\d{8}T\d{6}Z")
LOOK_SECONDS = 20.0
RETRY_SECONDS = 600.0
"""After a backup that failed."""
STOP_SECONDS = 10.0
ROUND_SHARE = 0.1


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
    scrub_every : time in which every file is read once; None for never
    """

    backup_folder: Path | None = None
    backup_every: timedelta = timedelta(hours=24)
    backup_keep: int = 7
    scrub_every: timedelta | None = None


class Upkeep:
    """A thread that follows a plan.

    Parameters
    ----------
    data_dir : of the server, with its database
    sound_files : reads the stored files
    list_checksums : of all models

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
        list_checksums: Callable[[], set[str]],
    ) -> None:
        folder = plan.backup_folder
        if folder is not None and folder.resolve().is_relative_to(data_dir.resolve()):
            raise InvalidRequest("Backups in the data folder (backup_folder) would go with it.")
        self._data_dir = data_dir
        self._plan = plan
        self._sound_files = sound_files
        self._list_checksums = list_checksums
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_on, name="upkeep", daemon=True)
        self._next_try = 0.0
        self._problem: str | None = None
        self._unread: list[str] = []
        self._pace = self._next_read = self._next_round = 0.0

    def start(self) -> None:
        if self._plan.backup_folder is not None or self._plan.scrub_every is not None:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def get_state(self) -> dict[str, Any]:
        """For people: what there is of backups, and which files are damaged."""
        made = self.list_backups()
        return {
            "backups": len(made),
            "last_backup_at": find_time(made[-1]) if made else None,
            "backup_problem": self._problem,
            "damaged_files": self._sound_files.list_damaged(),
        }

    # Backups -----------------------------------------------------------------------------------

    def list_backups(self) -> list[Path]:
        """Whole ones, in the order in which they were made, whatever the clock said."""
        return [path for path in self._list_folders() if (path / LIST).is_file()]

    def _list_folders(self) -> list[Path]:
        folder = self._plan.backup_folder
        if folder is None or not folder.is_dir():
            return []
        named = [path for path in folder.iterdir() if BACKUP_NAME.fullmatch(path.name)]
        return sorted(named, key=_get_number)

    def is_due(self) -> bool:
        """Whether it is time for a backup: also when the last one is from the future, as the clock
        has been set back since."""
        if self._plan.backup_folder is None or time.monotonic() < self._next_try:
            return False
        made = self.list_backups()
        last = find_time(made[-1]) if made else None
        if last is None:
            return True
        age = datetime.now(UTC) - last
        return not timedelta(0) <= age < self._plan.backup_every

    def back_up(self) -> Path:
        """Make a backup now, then remove what is more than is kept.

        Raises
        ------
        HeritageError
            When it cannot be made. What was begun is removed.
        """
        folder = self._plan.backup_folder
        if folder is None:
            raise InvalidRequest("No folder for backups is set (backup_folder).")
        made = self.list_backups()
        for path in set(self._list_folders()) - set(made):
            # What the end of a process left.
            shutil.rmtree(path)
        number = _get_number(made[-1]) + 1 if made else 1
        target = folder / f"heritage-{number:06d}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        base = made[-1] if made else None
        report = make_backup(self._data_dir, target, advance=self._check_stop, base=base)
        for problem in report.problems:
            logger.error("backup %s: %s", target.name, problem)
        self._problem = " ".join(report.problems[:3]) or None
        for path in [*made, target][: -self._plan.backup_keep]:
            # First the list: without it, what is left of a backup is not taken for one.
            (path / LIST).unlink()
            shutil.rmtree(path)
        logger.info("backup %s: %d files, %d bytes", target.name, report.files, report.bytes)
        return target

    # Reading files again -----------------------------------------------------------------------

    def scrub(self) -> int:
        """Read every stored file; how many are damaged."""
        damaged = 0
        for checksum in sorted(self._list_checksums()):
            damaged += not self._sound_files.check(checksum)
            self._check_stop(0)
        return damaged

    def _scrub_slowly(self, every: float) -> None:
        """What is due by now of a round that takes a tenth of the time that there is for it, so
        that nobody notices."""
        if not self._unread and time.monotonic() >= self._next_round:
            self._unread = sorted(self._list_checksums())
            self._pace = every * ROUND_SHARE / max(len(self._unread), 1)
            self._next_read, self._next_round = time.monotonic(), time.monotonic() + every
        while self._unread and time.monotonic() >= self._next_read:
            self._sound_files.check(self._unread.pop())
            self._next_read += self._pace
            self._check_stop(0)

    # Thread ------------------------------------------------------------------------------------

    def _keep_on(self) -> None:
        while not self._stopping.wait(min(LOOK_SECONDS, self._plan.backup_every.total_seconds())):
            try:
                if self.is_due():
                    self._next_try = time.monotonic() + RETRY_SECONDS
                    self.back_up()
                    self._next_try = 0.0
                if self._plan.scrub_every is not None:
                    self._scrub_slowly(self._plan.scrub_every.total_seconds())
            except _Stopping:
                return
            except HeritageError as error:
                self._tell(error.detail)
            except OSError as error:
                self._tell(f"{error.strerror}.")

    def _tell(self, problem: str) -> None:
        self._problem = problem
        logger.error("the backup could not be made: %s", problem)

    def _check_stop(self, _done: int) -> None:
        if self._stopping.is_set():
            raise _Stopping


def _get_number(path: Path) -> int:
    found = BACKUP_NAME.fullmatch(path.name)
    return int(found[1]) if found else 0
