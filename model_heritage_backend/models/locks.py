"""Advisory locks of PostgreSQL: names that one program at a time holds, or many that share them.

Each block holds its locks in a transaction of its own, which does nothing else. Whatever becomes of
the program, its connection ends with it, and the locks with that.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType

from sqlalchemy import Connection, Engine, text

FOREVER = (
    "SET LOCAL lock_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
"""Whoever waits for a turn waits as long as it takes, and keeps it as long as it works."""


def lock_in_transaction(connection: Connection, name: str, *, shared: bool = False) -> None:
    """Wait until no other transaction holds ``name`` (or shares it, unless ``shared``), and hold it
    until this one ends."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    connection.execute(text(f"SELECT {function}(:key)"), {"key": make_key(name)})


def make_key(name: str) -> int:
    """The 64-bit number that stands for a name in this database."""
    digest = hashlib.sha256(f"model-heritage {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


@contextmanager
def hold_locks(
    engine: Engine, *, alone: Iterable[str] = (), shared: Iterable[str] = ()
) -> Iterator[None]:
    """Hold names for a block: first those that are ``shared``, then those held ``alone``, both in
    the order of the alphabet, so that no two programs wait for each other."""
    with engine.connect() as connection, connection.begin():
        for statement in FOREVER:
            connection.exec_driver_sql(statement)
        for name in sorted(set(shared)):
            lock_in_transaction(connection, name, shared=True)
        for name in sorted(set(alone)):
            lock_in_transaction(connection, name)
        yield


class SharedLock:
    """A lock between threads and, where the database is shared, between programs; not re-entrant.

    Parameters
    ----------
    engine : of a PostgreSQL; None for threads alone
    """

    def __init__(self, engine: Engine | None, name: str) -> None:
        self._engine = engine
        self._name = name
        self._lock = threading.Lock()
        self._held = ExitStack()

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            if self._engine is not None:
                self._held.enter_context(hold_locks(self._engine, alone=[self._name]))
        except BaseException:
            self._lock.release()
            raise

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            self._held.close()
        finally:
            self._lock.release()
