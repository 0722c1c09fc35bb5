"""What scans remember between runs: checksums, fingerprints, and exact evidence of pairs.

One SQLite file in the user's cache folder: writes are atomic, and two scans may share it. Losing it
costs time only, so a damaged one is begun anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from model_heritage_backend.fingerprints.fingerprint import VERSION, Fingerprint
from model_heritage_backend.places import find_home
from model_heritage_backend.version import __version__

FILE_NAME = "scans.db"
PROGRAM = f"{__version__}/{VERSION}"
"""Entries of other versions are dropped: their numbers may be made differently."""
SETTLED_SECONDS = 2.0
"""A file changed later than this before it was read may change again within the same time stamp."""
WAIT_SECONDS = 30.0

TABLES = """
CREATE TABLE IF NOT EXISTS program (version TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS files (
    device INTEGER, inode INTEGER, size INTEGER, changed INTEGER, checksum TEXT NOT NULL,
    PRIMARY KEY (device, inode));
CREATE TABLE IF NOT EXISTS fingerprints (checksum TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS evidence (key TEXT PRIMARY KEY, data TEXT NOT NULL);
"""


def find_cache_folder() -> Path:
    """``model-heritage`` below XDG_CACHE_HOME, or below ~/.cache where that is not set."""
    return find_home("XDG_CACHE_HOME", ".cache")


class ScanCache:
    """Checksums by file identity, fingerprints by checksum, evidence by the engine's key.

    Parameters
    ----------
    folder : made where it is missing; None keeps everything in memory, for this run only

    Attributes
    ----------
    was_damaged : an unreadable file was found and replaced
    problem : what failed last (a full disk, say); None when nothing did. Failing to remember never
        stops a scan, but it is to be told.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """

    def __init__(self, folder: Path | None) -> None:
        self.was_damaged = False
        self.problem: str | None = None
        if folder is None:
            self._connection = _connect(":memory:")
            return
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / FILE_NAME
        try:
            self._connection = _connect(path)
        except sqlite3.OperationalError as error:
            # Locked, full or not writable: the file is not at fault.
            raise OSError(str(error)) from error
        except sqlite3.DatabaseError:
            self.was_damaged = True
            for name in (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
                (folder / name).unlink(missing_ok=True)
            self._connection = _connect(path)

    def find_checksum(self, status: os.stat_result) -> str | None:
        """The checksum of a file that has not changed since it was read."""
        found = self._find(
            "SELECT checksum FROM files WHERE device=? AND inode=? AND size=? AND changed=?",
            *_identify(status),
        )
        return None if found is None else str(found)

    def save_checksum(self, status: os.stat_result, checksum: str) -> None:
        if time.time() - status.st_mtime < SETTLED_SECONDS:
            return
        self._save(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", *_identify(status), checksum
        )

    def find_fingerprint(self, checksum: str) -> Fingerprint | None:
        data = self._find("SELECT data FROM fingerprints WHERE checksum=?", checksum)
        return None if data is None else Fingerprint.from_bytes(data)

    def save_fingerprint(self, fingerprint: Fingerprint) -> None:
        self._save(
            "INSERT OR REPLACE INTO fingerprints VALUES (?, ?)",
            fingerprint.checksum,
            fingerprint.to_bytes(),
        )

    def get_evidence(self) -> MutableMapping[str, Mapping[str, Any]]:
        """Exact evidence as a mapping that keeps what is put in."""
        return _Evidence(self)

    def close(self) -> None:
        self._connection.close()

    def list_keys(self) -> list[str]:
        return [row[0] for row in self._connection.execute("SELECT key FROM evidence ORDER BY key")]

    def find_evidence(self, key: str) -> Mapping[str, Any] | None:
        text = self._find("SELECT data FROM evidence WHERE key=?", key)
        return None if text is None else dict(json.loads(text))

    def save_evidence(self, key: str, evidence: Mapping[str, Any]) -> None:
        self._save("INSERT OR REPLACE INTO evidence VALUES (?, ?)", key, json.dumps(dict(evidence)))

    def drop_evidence(self, key: str) -> None:
        self._save("DELETE FROM evidence WHERE key=?", key)

    def _find(self, query: str, *values: object) -> Any:
        try:
            row = self._connection.execute(query, values).fetchone()
        except sqlite3.DatabaseError as error:
            self.problem = str(error)
            return None
        return None if row is None else row[0]

    def _save(self, statement: str, *values: object) -> None:
        try:
            with self._connection:
                self._connection.execute(statement, values)
        except sqlite3.DatabaseError as error:
            self.problem = str(error)


class _Evidence(MutableMapping[str, Mapping[str, Any]]):
    def __init__(self, cache: ScanCache) -> None:
        self._cache = cache

    def __getitem__(self, key: str) -> Mapping[str, Any]:
        found = self._cache.find_evidence(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: str, value: Mapping[str, Any]) -> None:
        self._cache.save_evidence(key, value)

    def __delitem__(self, key: str) -> None:
        self[key]
        self._cache.drop_evidence(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._cache.list_keys())

    def __len__(self) -> int:
        return len(self._cache.list_keys())


def _connect(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS)
    with contextlib.ExitStack() as undo:
        undo.callback(connection.close)
        # The write-ahead log waits for the disk rarely; what a power cut loses is computed again.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(TABLES)
        with connection:
            row = connection.execute("SELECT version FROM program").fetchone()
            if row != (PROGRAM,):
                for table in ("program", "files", "fingerprints", "evidence"):
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
                connection.execute("INSERT INTO program VALUES (?)", (PROGRAM,))
        undo.pop_all()
    return connection


def _identify(status: os.stat_result) -> tuple[int, int, int, int]:
    return _signed(status.st_dev), _signed(status.st_ino), status.st_size, status.st_mtime_ns


def _signed(number: int) -> int:
    """Device and inode numbers are unsigned, SQLite's integers are not."""
    return number - (1 << 64) if number >= 1 << 63 else number
