from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from model_heritage_backend.errors import Conflict
from model_heritage_backend.models import migrate, tables
from model_heritage_backend.models.database import Base, Database, UtcDateTime, open_engine
from model_heritage_backend.models.database_file import DatabaseFile
from model_heritage_backend.models.migrate import (
    MigrationFailed,
    downgrade_database,
    get_revision,
    upgrade_database,
)
from tests.databases import ON_POSTGRES, get_address, sqlite_only

HEAD = max(file.name[:4] for file in (migrate.MIGRATIONS / "versions").glob("0*.py"))
ADD_COLUMN = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "HEAD"


def upgrade():
    with op.batch_alter_table("models", recreate="always") as batch:
        batch.add_column(sa.Column("colour", sa.String(20), nullable=True))


def downgrade():
    with op.batch_alter_table("models", recreate="always") as batch:
        batch.drop_column("colour")
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(open_engine(get_address(tmp_path, migrated=False)))
    yield database
    database.close()


def list_tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def add_model(database: Database) -> None:
    row = tables.Model(
        id="m_1", name="a", name_folded="a", filename="a", format="safetensors", file_path="a",
        weights_uri="a", file_size=1, checksum="c", total_parameters=1, layer_count=1,
        structural_hash="h", dtypes={}, quality=[], claims={}, description="",
    )  # fmt: skip
    with database.write() as session:
        session.add(row)
        session.flush()
        session.add(
            tables.FingerprintRow(model_id="m_1", version=1, level="full", admitted=True, data=b"x")
        )


def test_initial_revision_is_what_the_tables_say(database: Database) -> None:
    assert upgrade_database(database.engine) is None
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": lambda _c, _i, _m, _it, known: (
                    False if isinstance(known, UtcDateTime) else None
                )
            },
        )
        assert compare_metadata(context, Base.metadata) == []


def test_second_upgrade_changes_nothing(database: Database) -> None:
    upgrade_database(database.engine)
    revision = get_revision(database.engine)
    assert upgrade_database(database.engine) == revision
    assert get_revision(database.engine) == revision


def test_down_and_up_again(database: Database, tmp_path: Path) -> None:
    upgrade_database(database.engine)
    everything = list_tables(database.engine)
    downgrade_database(database.engine, "base")
    assert list_tables(database.engine) == {"alembic_version"}
    upgrade_database(database.engine)
    assert list_tables(database.engine) == everything
    assert ON_POSTGRES or (tmp_path / f"app.db.before-{HEAD}").is_file()


@sqlite_only
def test_changing_a_table_keeps_the_rows_that_point_to_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite copies and drops the table; with foreign keys on, its fingerprints would go too."""
    upgrade_database(database.engine)
    add_model(database)
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.MIGRATIONS, folder)
    (folder / "versions" / "9999_colour.py").write_text(ADD_COLUMN.replace("HEAD", HEAD))
    monkeypatch.setattr(migrate, "MIGRATIONS", folder)
    assert upgrade_database(database.engine) == HEAD
    for _ in range(2):
        with database.read() as session:
            assert session.scalar(text("SELECT count(*) FROM models")) == 1
            assert session.scalar(text("SELECT count(*) FROM fingerprints")) == 1
            assert session.scalar(text("PRAGMA foreign_keys")) == 1
        downgrade_database(database.engine, HEAD)
    with sqlite3.connect(tmp_path / f"app.db.before-{HEAD}") as copy:
        assert copy.execute("SELECT name FROM models").fetchall() == [("a",)]
    copy.close()


def test_failing_migration_changes_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade_database(database.engine)
    add_model(database)
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.MIGRATIONS, folder)
    failing = '    raise RuntimeError("out of paint")\n\n\ndef downgrade'
    broken = ADD_COLUMN.replace("def downgrade", failing)
    if ON_POSTGRES:
        broken = broken.replace(', recreate="always"', "")
    (folder / "versions" / "9999_colour.py").write_text(broken.replace("HEAD", HEAD))
    monkeypatch.setattr(migrate, "MIGRATIONS", folder)
    with pytest.raises(MigrationFailed) as caught:
        upgrade_database(database.engine)
    assert "out of paint" in caught.value.detail
    assert get_revision(database.engine) == HEAD
    assert not list(tmp_path.glob("*.new"))
    with database.read() as session:
        assert session.scalar(text("SELECT name FROM models")) == "a"
    if not ON_POSTGRES:
        copy = tmp_path / f"app.db.before-{HEAD}"
        assert copy.name in caught.value.detail
        with contextlib.closing(sqlite3.connect(copy)) as file:
            assert file.execute("SELECT name FROM models").fetchall() == [("a",)]
        assert DatabaseFile(copy).find_faults() == []
    columns = {column["name"] for column in inspect(database.engine).get_columns("models")}
    assert "id" in columns
    assert "colour" not in columns


def test_database_of_a_newer_version_is_refused(database: Database) -> None:
    upgrade_database(database.engine)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '8888'"))
    with pytest.raises(Conflict, match="8888"):
        upgrade_database(database.engine)
