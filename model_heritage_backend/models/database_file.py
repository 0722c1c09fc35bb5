"""A SQLite database as a file: copied while it is in use, and looked over. No server is needed."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model_heritage_backend.errors import Conflict, InvalidRequest

WAIT_SECONDS = 30.0
LISTED = 20


@dataclass(frozen=True)
class StoredFile:
    """A file that the database knows: its SHA-256 and its length in bytes."""

    checksum: str
    size: int


class DatabaseFile:
    """One database of a data folder.

    Raises
    ------
    InvalidRequest
        When there is no such file.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InvalidRequest(f"There is no database {path}.")
        self.path = path

    def copy(self, target: Path) -> None:
        """A consistent copy, whoever reads or writes meanwhile.

        Raises
        ------
        Conflict
            When the database is damaged or stays locked.
        """
        with self._open() as source, contextlib.closing(sqlite3.connect(target)) as copy:
            # At once: it is one reader's view, which keeps no writer waiting. In steps, it would
            # begin anew after whatever others write between them, perhaps for ever.
            source.backup(copy)
            # One file alone: a write-ahead log beside it could be forgotten.
            copy.execute("PRAGMA journal_mode=DELETE")

    def get_revision(self) -> str:
        with self._open() as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else ""

    def list_files(self) -> list[StoredFile]:
        """Of all models, by checksum."""
        query = "SELECT checksum, file_size FROM models ORDER BY checksum"
        with self._open() as connection:
            return [StoredFile(str(row[0]), int(row[1])) for row in connection.execute(query)]

    def find_faults(self) -> list[str]:
        """What is wrong with the file itself, as sentences."""
        with self._open() as connection:
            rows = connection.execute(f"PRAGMA integrity_check({LISTED})").fetchall()
            faults = [f"The database is damaged: {row[0]}." for row in rows if row[0] != "ok"]
            broken = connection.execute("PRAGMA foreign_key_check").fetchmany(LISTED)
        return faults + [
            f"A row of the table {row[0]} belongs to one of {row[2]} that is not there."
            for row in broken
        ]

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        address = f"{self.path.absolute().as_uri()}?mode=rw"
        try:
            connection = sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS)
            with contextlib.closing(connection):
                yield connection
        except sqlite3.DatabaseError as error:
            raise Conflict(f"The database {self.path} cannot be read: {error}.") from error
