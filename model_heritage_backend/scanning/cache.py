"""What scans remember between runs: checksums, refusals, fingerprints, exact evidence of pairs,
and whole genealogies.

One SQLite file in the user's cache folder: writes are atomic, and two scans may share it. Losing it
costs time only, so a damaged one is begun anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_heritage_backend.places import find_home
from model_heritage_backend.version import FINGERPRINT_VERSION, __version__

if TYPE_CHECKING:
    # A folder that has not changed is told without loading the engine.
    from model_heritage_backend.fingerprints import Fingerprint

FILE_NAME = "scans.db"
PROGRAM = f"{__version__}/{FINGERPRINT_VERSION}"
"""Entries of other versions are dropped: their numbers may be made differently."""
SETTLED_SECONDS = 2.0
"""A file changed later than this before it was read may change again within the same time stamp."""
WAIT_SECONDS = 30.0

KEPT_DOCUMENTS = 50
LAYOUT = 2
"""Of the tables; files of another one are begun anew."""

TABLES = """
CREATE TABLE program (version TEXT PRIMARY KEY);
CREATE TABLE files (
    device INTEGER, inode INTEGER, sampled INTEGER, size INTEGER, changed INTEGER,
    checksum TEXT NOT NULL, PRIMARY KEY (device, inode, sampled));
CREATE TABLE refusals (
    name TEXT, device INTEGER, inode INTEGER, size INTEGER, changed INTEGER,
    type TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (name, device, inode));
CREATE TABLE fingerprints (checksum TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE evidence (key TEXT PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE documents (key TEXT PRIMARY KEY, used REAL NOT NULL, data TEXT NOT NULL);
"""
CONTENT = ("program", "files", "refusals", "fingerprints", "evidence", "documents")


def find_cache_folder() -> Path:
    """``model-heritage`` below XDG_CACHE_HOME, or below ~/.cache where that is not set."""
    return find_home("XDG_CACHE_HOME", ".cache")


class ScanCache:
    """Checksums and refusals by file identity, fingerprints by checksum, evidence by the engine's
    key, documents by what they were made of. For several threads.

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
        self._lock = threading.Lock()
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

    def find_checksum(self, status: os.stat_result, *, sampled: bool = False) -> str | None:
        """The checksum of a file that has not changed since it was read.

        Parameters
        ----------
        sampled : that of its sample, where only that was read; see ``reading.name_sample``
        """
        found = self._find(
            "SELECT checksum FROM files WHERE device=? AND inode=? AND size=? AND changed=? "
            "AND sampled=?",
            *_identify(status),
            sampled,
        )
        return None if found is None else str(found[0])

    def save_checksum(
        self, status: os.stat_result, checksum: str, *, sampled: bool = False
    ) -> None:
        if not _is_settled(status):
            return
        device, inode, size, changed = _identify(status)
        self._save(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
            *(device, inode, sampled, size, changed, checksum),
        )

    def find_refusal(self, name: str, status: os.stat_result) -> tuple[str, str] | None:
        """(type, detail) of the error by which an unchanged file was refused."""
        found = self._find(
            "SELECT type, detail FROM refusals WHERE name=? AND device=? AND inode=? AND size=? "
            "AND changed=?",
            name,
            *_identify(status),
        )
        return None if found is None else (str(found[0]), str(found[1]))

    def save_refusal(self, name: str, status: os.stat_result, type: str, detail: str) -> None:
        if _is_settled(status):
            row = (name, *_identify(status), type, detail)
            self._save("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?, ?, ?, ?, ?)", *row)

    def find_fingerprint(self, checksum: str) -> Fingerprint | None:
        data = self._find("SELECT data FROM fingerprints WHERE checksum=?", checksum)
        if data is None:
            return None
        from model_heritage_backend.fingerprints import Fingerprint

        return Fingerprint.from_bytes(data[0])

    def save_fingerprint(self, fingerprint: Fingerprint) -> None:
        self._save(
            "INSERT OR REPLACE INTO fingerprints VALUES (?, ?)",
            fingerprint.checksum,
            fingerprint.to_bytes(),
        )

    def get_evidence(self) -> MutableMapping[str, Mapping[str, Any]]:
        """Exact evidence as a mapping that keeps what is put in."""
        return _Evidence(self)

    def find_document(self, key: str) -> str | None:
        """The text of a document."""
        found = self._find("SELECT data FROM documents WHERE key=?", key)
        return None if found is None else str(found[0])

    def save_document(self, key: str, text: str) -> None:
        """Keep it, and of all only the latest."""
        self._save("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", key, time.time(), text)
        self._save(
            "DELETE FROM documents WHERE key NOT IN "
            "(SELECT key FROM documents ORDER BY used DESC LIMIT ?)",
            KEPT_DOCUMENTS,
        )

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def list_keys(self) -> list[str]:
        with self._lock:
            rows = self._connection.execute("SELECT key FROM evidence ORDER BY key").fetchall()
        return [row[0] for row in rows]

    def find_evidence(self, key: str) -> Mapping[str, Any] | None:
        found = self._find("SELECT data FROM evidence WHERE key=?", key)
        return None if found is None else dict(json.loads(found[0]))

    def save_evidence(self, key: str, evidence: Mapping[str, Any]) -> None:
        self._save("INSERT OR REPLACE INTO evidence VALUES (?, ?)", key, json.dumps(dict(evidence)))

    def drop_evidence(self, key: str) -> None:
        self._save("DELETE FROM evidence WHERE key=?", key)

    def _find(self, query: str, *values: object) -> Any:
        try:
            with self._lock:
                return self._connection.execute(query, values).fetchone()
        except sqlite3.DatabaseError as error:
            self.problem = str(error)
            return None

    def _save(self, statement: str, *values: object) -> None:
        try:
            with self._lock, self._connection:
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
    # Several threads take turns, by the lock of the cache.
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS, check_same_thread=False)
    with contextlib.ExitStack() as undo:
        undo.callback(connection.close)
        # The write-ahead log waits for the disk rarely; what a power cut loses is computed again.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        if connection.execute("PRAGMA user_version").fetchone() != (LAYOUT,):
            _lay_out(connection)
        with connection:
            row = connection.execute("SELECT version FROM program").fetchone()
            if row != (PROGRAM,):
                for table in CONTENT:
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
                connection.execute("INSERT INTO program VALUES (?)", (PROGRAM,))
        undo.pop_all()
    return connection


def _lay_out(connection: sqlite3.Connection) -> None:
    """The tables, in place of those of an earlier layout."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        # Another scan may have done it while this one waited.
        if connection.execute("PRAGMA user_version").fetchone() == (LAYOUT,):
            return
        for table in CONTENT:
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        for statement in TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={LAYOUT}")


def _is_settled(status: os.stat_result) -> bool:
    return time.time() - status.st_mtime >= SETTLED_SECONDS


def _identify(status: os.stat_result) -> tuple[int, int, int, int]:
    return _signed(status.st_dev), _signed(status.st_ino), status.st_size, status.st_mtime_ns


def _signed(number: int) -> int:
    """Device and inode numbers are unsigned, SQLite's integers are not."""
    return number - (1 << 64) if number >= 1 << 63 else number
