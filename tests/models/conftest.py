from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from model_heritage_backend.models.database import Database, open_engine
from tests.databases import get_address

MakeDatabase = Callable[[], Database]


@pytest.fixture
def make_database(tmp_path: Path) -> Iterator[MakeDatabase]:
    """Connects to the test's one database; each call is a program of its own."""
    opened: list[Database] = []

    def make() -> Database:
        opened.append(Database(open_engine(get_address(tmp_path, migrated=False))))
        return opened[-1]

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def database(make_database: MakeDatabase, tmp_path: Path) -> Database:
    get_address(tmp_path)
    return make_database()
