"""The database: one engine, short read sessions, and write transactions that never deadlock.

SQLite is told to survive power cuts (WAL, synchronous=FULL) and to keep its foreign keys. A write
transaction begins IMMEDIATE: a DEFERRED one that reads first and writes later fails at once with
"database is locked" when another writer came in between, without waiting for ``busy_timeout``.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from model_heritage_backend.errors import HeritageError, InsufficientStorage
from model_heritage_backend.models.writer_turn import WriterTurn

WAIT_SECONDS = 15.0
"""How long a transaction waits for others, unless the settings say otherwise."""
RETRY_SECONDS = 5
BUSY = "The database is in use; please try again."
WRITES = "heritage_writes"

NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables. Named constraints: SQLite can only change what has a name."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


db = SQLAlchemy(model_class=Base)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times on databases that keep no time zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


class DatabaseBusy(HeritageError):
    """Others kept the database for longer than a transaction waits."""

    type = "database-busy"
    title = "The database is busy"
    status = 503
    transient = True
    retry_after = RETRY_SECONDS


class Database:
    """Sessions on one engine, usable from any thread and without a Flask context.

    ``read()`` gives a session that sees one consistent state and must not write;
    ``write()`` one transaction that is committed when the block ends and undone when it raises.

    Parameters
    ----------
    wait_seconds : how long a transaction waits for others before it is refused
    """

    def __init__(self, engine: Engine, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self._wait_seconds = wait_seconds
        self._turn: WriterTurn | None = None
        if engine.dialect.name == "sqlite":
            path = engine.url.database
            if path and path != ":memory:":
                self._turn = WriterTurn(Path(path))
            milliseconds = round(wait_seconds * 1000)
            prepare = functools.partial(_prepare_sqlite, busy_timeout=milliseconds)
            event.listen(engine, "connect", prepare)
            event.listen(engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Raises DatabaseBusy where not even reading is possible."""
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                yield session
        except OperationalError as error:
            _tell_fault(str(error.orig), error)
            raise

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One write transaction.

        Raises
        ------
        InsufficientStorage
            When the disk is full.
        DatabaseBusy
            When another program keeps the database locked.
        """
        try:
            with (
                self._take_turn(),
                Session(self._writer, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session
        except OperationalError as error:
            _tell_fault(str(error.orig), error)
            raise

    def compact(self, share: float) -> int:
        """Let SQLite look after its file, and write it anew where at least ``share`` of it is
        free; bytes by which it shrank. Writers wait meanwhile. Other databases need no such help.

        Raises
        ------
        InsufficientStorage, DatabaseBusy
        """
        if self.engine.dialect.name != "sqlite":
            return 0
        # Not a session: this cannot be done in a transaction.
        with self._take_turn(), contextlib.closing(self.engine.raw_connection()) as connection:
            try:
                cursor = connection.cursor()
                before = _measure_sqlite(cursor)
                cursor.execute("PRAGMA optimize")
                free = _get_pragma(cursor, "freelist_count")
                if free >= share * _get_pragma(cursor, "page_count"):
                    cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return before - _measure_sqlite(cursor)
            except sqlite3.OperationalError as error:
                _tell_fault(str(error), error)
                raise

    def close(self) -> None:
        """Give all connections back; the last one writes the log into the database, if nobody else
        keeps the turn for long."""
        with contextlib.suppress(DatabaseBusy), self._take_turn():
            self.engine.dispose()
            return
        self.engine.dispose()

    @contextmanager
    def _take_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._turn.take(self._wait_seconds))
            except TimeoutError:
                raise DatabaseBusy(BUSY) from None
            yield


def _tell_fault(reason: str, error: Exception) -> None:
    """Raise what the driver's words mean, where they are known."""
    if "disk is full" in reason:
        raise InsufficientStorage("There is no room left for the database.") from error
    if "database is locked" in reason:
        raise DatabaseBusy(BUSY) from error


def _get_pragma(cursor: Any, name: str) -> int:
    return int(cursor.execute(f"PRAGMA {name}").fetchone()[0])


def _measure_sqlite(cursor: Any) -> int:
    """Bytes of the database's pages."""
    return _get_pragma(cursor, "page_count") * _get_pragma(cursor, "page_size")


def _prepare_sqlite(connection: Any, _record: object, *, busy_timeout: int) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite does, with the right kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    # busy_timeout first: switching to WAL needs the lock too.
    for pragma in (
        f"busy_timeout={busy_timeout}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    kind = "IMMEDIATE" if connection.get_execution_options().get(WRITES) else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {kind}")
