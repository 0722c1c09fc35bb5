"""The database: one engine, short read sessions, and write transactions that never deadlock.

SQLite is told to survive power cuts (WAL, synchronous=FULL) and to keep its foreign keys. A write
transaction begins IMMEDIATE: a DEFERRED one that reads first and writes later fails at once with
"database is locked" when another writer came in between, without waiting for ``busy_timeout``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from model_heritage_backend.errors import HeritageError, InsufficientStorage

BUSY_TIMEOUT_MS = 30_000
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
    """Another program held the database's lock for longer than ``BUSY_TIMEOUT_MS``."""

    type = "database-busy"
    title = "The database is busy"
    status = 503
    transient = True


class Database:
    """Sessions on one engine, usable from any thread and without a Flask context.

    ``read()`` gives a session that sees one consistent state and must not write;
    ``write()`` one transaction that is committed when the block ends and undone when it raises.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

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
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
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
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            before = _measure_sqlite(cursor)
            cursor.execute("PRAGMA optimize")
            if _get_pragma(cursor, "freelist_count") >= share * _get_pragma(cursor, "page_count"):
                cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return before - _measure_sqlite(cursor)
        except sqlite3.OperationalError as error:
            _tell_fault(str(error), error)
            raise
        finally:
            connection.close()

    def close(self) -> None:
        self.engine.dispose()


def _tell_fault(reason: str, error: Exception) -> None:
    """Raise what the driver's words mean, where they are known."""
    if "disk is full" in reason:
        raise InsufficientStorage("There is no room left for the database.") from error
    if "database is locked" in reason:
        raise DatabaseBusy("The database is in use; please try again.") from error


def _get_pragma(cursor: Any, name: str) -> int:
    return int(cursor.execute(f"PRAGMA {name}").fetchone()[0])


def _measure_sqlite(cursor: Any) -> int:
    """Bytes of the database's pages."""
    return _get_pragma(cursor, "page_count") * _get_pragma(cursor, "page_size")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite does, with the right kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    # busy_timeout first: switching to WAL needs the lock too.
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    kind = "IMMEDIATE" if connection.get_execution_options().get(WRITES) else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {kind}")
