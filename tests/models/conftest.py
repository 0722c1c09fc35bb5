from __future__ import annotations

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


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    database = make_database()
    upgrade_database(database.engine)
    return database
