from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from model_heritage_backend.models.database import Database
from model_heritage_backend.models.migrate import upgrade_database

MakeDatabase = Callable[[], Database]


@pytest.fixture
def make_database(tmp_path: Path) -> Iterator[MakeDatabase]:
    """Connects to the test's one database; each call is a program of its own."""
    opened: list[Database] = []

    def make() -> Database:
        opened.append(Database(create_engine(f"sqlite:///{tmp_path}/app.db")))
        return opened[-1]

    yield make
    for database in opened:
        database.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without rows: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "app.db"
    database = Database(create_engine(f"sqlite:///{path}"))
    upgrade_database(database.engine)
    database.close()
    return path


@pytest.fixture
def database(make_database: MakeDatabase, migrated: Path, tmp_path: Path) -> Database:
    shutil.copy(migrated, tmp_path / "app.db")
    return make_database()
