"""What is in the data folder and the database that nothing needs any more.

Rows of what is over go by their age. Files go only when it is certain that they are nobody's: what
a running upload writes, what is marked, and what this database never knew is left alone, for the
server may have been started with the wrong database.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, func, select

from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.files import CHECKSUM_LENGTH, FileStore
from model_heritage_backend.models.job_queue import ENDED_STATES
from model_heritage_backend.models.tables import EdgeEvidence, Job, Model
from model_heritage_backend.models.trees import in_batches

SAFE_SECONDS = 86_400.0
"""Files that were written to more recently are never taken for leftovers."""
STAGED_NAME = re.compile(r"[0-9a-f]{32}")
BLOB_NAME = re.compile(rf"[0-9a-f]{{{CHECKSUM_LENGTH}}}")
SAID_CHECKSUM = re.compile(rf"(?<![0-9a-f])[0-9a-f]{{{CHECKSUM_LENGTH}}}(?![0-9a-f])")
CLEANUP = "cleanup"
WORTHWHILE_SHARE = 0.1
"""Of the database's pages that must be free before it is written anew."""


@dataclass(frozen=True)
class Freed:
    count: int
    bytes: int


class Leftovers:
    """Finds them and takes them away.

    Parameters
    ----------
    database, files : where everything is kept
    """

    def __init__(self, database: Database, files: FileStore) -> None:
        self._database = database
        self._files = files

    def measure_wait(self) -> timedelta | None:
        """Since the last clean-up was asked for, or, before the first, since the first job; None
        where there was no job yet."""
        last = select(func.max(Job.created_at)).where(Job.kind == CLEANUP)
        with self._database.read() as session:
            since = session.scalar(last) or session.scalar(select(func.min(Job.created_at)))
        return None if since is None else now() - since

    def remove_dead_uploads(self) -> Freed:
        """Staged files that nobody receives any more. (At start, all of them go.)"""
        old = _list_old(self._files.staging, STAGED_NAME)
        live = self._files.list_staged()
        return _remove(path for path in old if path not in live)

    def remove_orphans(self) -> tuple[Freed, list[str]]:
        """Stored files without a model. Of those that this database never knew, which may be
        another database's, the checksums are told instead."""
        removed, doubtful = [], []
        before = time.time() - SAFE_SECONDS
        for blob in self._files.blobs.list_all():
            checksum = blob.checksum
            if not BLOB_NAME.fullmatch(checksum) or blob.changed_at >= before:
                continue
            with self._files.commit_lock:
                if self._is_stored(checksum) or (self._files.staging / checksum).exists():
                    continue
                if not self._was_known(checksum):
                    doubtful.append(checksum)
                    continue
                removed.append(blob.size)
                self._files.remove(checksum)
        return Freed(len(removed), sum(removed)), sorted(doubtful)

    def remove_old_jobs(self, *, days: float) -> int:
        """Records of jobs that were over so long ago."""
        before = now() - timedelta(days=days)
        old = select(Job.id).where(Job.state.in_(ENDED_STATES), Job.finished_at < before)
        with self._database.read() as session:
            ids = list(session.scalars(old))
        for batch in in_batches(ids):
            with self._database.write() as session:
                # One that was queued again meanwhile stays.
                session.execute(delete(Job).where(Job.id.in_(batch), Job.state.in_(ENDED_STATES)))
        return len(ids)

    def remove_stray_evidence(self) -> int:
        """What was read of pairs of files of which one is not here any more."""
        with self._database.read() as session:
            keys = list(session.scalars(select(EdgeEvidence.key)))
            known = {_shorten(checksum) for checksum in session.scalars(select(Model.checksum))}
        stray = [
            key
            for key in keys
            if any(_shorten(said) not in known for said in SAID_CHECKSUM.findall(key))
        ]
        for batch in in_batches(stray):
            with self._database.write() as session:
                session.execute(delete(EdgeEvidence).where(EdgeEvidence.key.in_(batch)))
        return len(stray)

    def compact(self) -> int:
        """Let SQLite tidy up its file; bytes by which it shrank. Other databases do so alone."""
        return self._database.compact(WORTHWHILE_SHARE)

    def _is_stored(self, checksum: str) -> bool:
        with self._database.read() as session:
            return session.scalar(select(Model.id).where(Model.checksum == checksum)) is not None

    def _was_known(self, checksum: str) -> bool:
        """Whether a job of this database was about the model with this checksum, by its id."""
        query = select(Job.id).where(Job.model_id == f"m_{checksum[:16]}").limit(1)
        with self._database.read() as session:
            return session.scalar(query) is not None


def _shorten(checksum: str) -> str:
    # A model that is put in another order is known by the first half of its checksum.
    return checksum[: CHECKSUM_LENGTH // 2]


def _list_old(folder: Path, name: re.Pattern[str]) -> list[Path]:
    """Plain files of such names that nobody has written to for long."""
    before = time.time() - SAFE_SECONDS
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            plain = name.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
            if plain and entry.stat(follow_symlinks=False).st_mtime < before:
                found.append(Path(entry.path))
    return sorted(found)


def _remove(paths: Iterable[Path]) -> Freed:
    sizes = []
    for path in paths:
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            continue
        sizes.append(size)
    return Freed(len(sizes), sum(sizes))
