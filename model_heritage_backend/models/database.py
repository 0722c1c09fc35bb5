"""The database: one engine, short read sessions, and write transactions that never deadlock.

SQLite is told to survive power cuts (WAL, synchronous=FULL) and to keep its foreign keys. A write
transaction begins IMMEDIATE: a DEFERRED one that reads first and writes later fails at once with
"database is locked" when another writer came in between, without waiting for ``busy_timeout``.

PostgreSQL is told to do the same: a reading session sees one state (REPEATABLE READ), and write
transactions that go by what they read come one after another, by an advisory lock.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from model_heritage_backend.errors import HeritageError, InsufficientStorage, InvalidRequest
from model_heritage_backend.models.locks import hold_locks, lock_in_transaction
from model_heritage_backend.models.writer_turn import WriterTurn

WAIT_SECONDS = 15.0
"""How long a transaction waits for others, unless the settings say otherwise."""
RETRY_SECONDS = 5
BUSY = "The database is in use; please try again."
WRITES = "heritage_writes"
SQLITE = "sqlite"
MEMORY = ":memory:"
WRITERS = "writers"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
FAULTS = {
    "53100": "There is no room left for the database.",
    "40001": BUSY,
    "40P01": BUSY,
    "55P03": BUSY,
}
"""What PostgreSQL's codes mean that its words may say in any language. The first is a full disk."""
FULL_DISK = "53100"

NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables. Named constraints: SQLite can only change what has a name. Whole numbers have 64
    bits everywhere, which SQLite's INTEGER, and only that, has as a key."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


Base.registry.update_type_annotation_map({int: BigInteger().with_variant(Integer(), SQLITE)})
db = SQLAlchemy(model_class=Base)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times on databases that keep no time zone."""

    impl = DateTime
    cache_ok = True

    # SQLAlchemy hands a dialect to both.
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


def list_engine_options(
    url: str, *, connections: int = 20, wait_seconds: float = WAIT_SECONDS
) -> dict[str, Any]:
    """How an engine for this address is made.

    Parameters
    ----------
    connections : how many a process may hold at once, for PostgreSQL
    wait_seconds : how long a transaction waits for others before it is refused
    """
    if url.startswith(SQLITE):
        # Slow clients have hundreds of threads, and connections of SQLite cost little.
        return {} if MEMORY in url else {"pool_size": 16, "max_overflow": 64}
    return {
        # A server that was restarted is noticed before a request fails for it.
        "pool_pre_ping": True,
        "pool_size": connections,
        "connect_args": {"options": f"-c lock_timeout={round(wait_seconds * 1000)}"},
    }


def check_driver(url: str) -> None:
    """Raises InvalidRequest when PostgreSQL is asked for, and its driver is not installed."""
    if url.startswith("postgresql") and importlib.util.find_spec("psycopg") is None:
        raise InvalidRequest(
            "PostgreSQL needs its driver: pip install 'model-heritage[postgres]' (psycopg)."
        )


def open_engine(url: str, *, wait_seconds: float = WAIT_SECONDS) -> Engine:
    """Raises InvalidRequest when its driver is not installed."""
    check_driver(url)
    return create_engine(url, **list_engine_options(url, wait_seconds=wait_seconds))


class Database:
    """Sessions on one engine, usable from any thread and without a Flask context.

    ``read()`` gives a session that sees one consistent state and must not write;
    ``write()`` one transaction that is committed when the block ends and undone when it raises.

    Parameters
    ----------
    wait_seconds : how long a transaction waits for others before it is refused

    Attributes
    ----------
    is_shared : whether several programs may work on this database at the same time
    """

    def __init__(self, engine: Engine, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self.engine = engine
        self.is_shared = engine.dialect.name != SQLITE
        self._reader = self._writer = engine
        self._wait_seconds = wait_seconds
        self._turn: WriterTurn | None = None
        if self.is_shared:
            event.listen(engine, "before_cursor_execute", _replace_nul, retval=True)
            self._reader = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        else:
            path = engine.url.database
            if path and path != MEMORY:
                self._turn = WriterTurn(Path(path))
            self._writer = engine.execution_options(**{WRITES: True})
            milliseconds = round(wait_seconds * 1000)
            prepare = functools.partial(_prepare_sqlite, busy_timeout=milliseconds)
            event.listen(engine, "connect", prepare)
            event.listen(engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Raises DatabaseBusy when the database cannot be reached."""
        try:
            with Session(self._reader, expire_on_commit=False) as session:
                yield session
        except (OperationalError, PoolTimeout) as error:
            _tell_fault(error)
            raise

    @contextmanager
    def write(self, *, serial: bool = True) -> Iterator[Session]:
        """One write transaction.

        Parameters
        ----------
        serial : whether nothing else may be written meanwhile. Only what changes one row, found
            by its key and locked while it is read, can do without. (SQLite has one writer.)

        Raises
        ------
        InsufficientStorage
            When the disk is full.
        DatabaseBusy
            When another program keeps the database locked, or it cannot be reached.
        """
        try:
            with (
                self._take_turn(),
                Session(self._writer, expire_on_commit=False) as session,
                session.begin(),
            ):
                if serial and self.is_shared:
                    lock_in_transaction(session.connection(), WRITERS)
                yield session
        except (OperationalError, PoolTimeout) as error:
            _tell_fault(error)
            raise

    @contextmanager
    def hold(self, *, alone: Iterable[str] = (), shared: Iterable[str] = ()) -> Iterator[None]:
        """Names that no other program holds within the block (``alone``), or only shares; where no
        other program can be, nothing happens.

        Raises
        ------
        DatabaseBusy
            When the database cannot be reached.
        """
        if not self.is_shared:
            yield
            return
        try:
            with hold_locks(self.engine, alone=alone, shared=shared):
                yield
        except OperationalError as error:
            _tell_fault(error)
            raise

    def compact(self, share: float) -> int:
        """Let SQLite look after its file, and write it anew where at least ``share`` of it is
        free; bytes by which it shrank. Writers wait meanwhile. Other databases need no such help.

        Raises
        ------
        InsufficientStorage, DatabaseBusy
        """
        if self.is_shared:
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
                _tell_sqlite_fault(error)
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


def _replace_nul(
    _connection: Connection,
    _cursor: object,
    statement: str,
    parameters: Any,
    _context: object,
    _many: bool,
) -> tuple[str, Any]:
    """PostgreSQL's texts cannot have the character NUL: nothing is found by it, and what people
    and files say is kept with a mark in its place."""
    return statement, _without_nul(parameters)


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT) if "\0" in value else value
    if isinstance(value, Mapping):
        return {name: _without_nul(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without_nul(part) for part in value)
    return value


def _tell_fault(error: OperationalError | PoolTimeout) -> None:
    """Raise what the driver means, where it is known."""
    if isinstance(error, PoolTimeout):
        raise DatabaseBusy(BUSY) from error
    if isinstance(error.orig, sqlite3.Error):
        _tell_sqlite_fault(error.orig)
        return
    code = getattr(error.orig, "sqlstate", None)
    if code == FULL_DISK:
        raise InsufficientStorage(FAULTS[code]) from error
    if code in FAULTS:
        raise DatabaseBusy(FAULTS[code]) from error
    # No code: there was no answer. 08, 57P: the connection broke, the server stops or starts.
    if code is None or code.startswith(("08", "57P")):
        raise DatabaseBusy("The database cannot be reached; please try again.") from error


def _tell_sqlite_fault(error: Exception) -> None:
    if "disk is full" in str(error):
        raise InsufficientStorage(FAULTS[FULL_DISK]) from error
    if "database is locked" in str(error):
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
