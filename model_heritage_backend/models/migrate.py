"""Bringing a database to the newest revision, with a copy of the old one kept beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from model_heritage_backend.errors import Conflict
from model_heritage_backend.models.locks import hold_locks
from model_heritage_backend.places import MIGRATIONS


def make_alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def get_revision(engine: Engine) -> str | None:
    """The database's revision; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest revision that this version knows."""
    script = ScriptDirectory.from_config(make_alembic_config())
    return get_revision(engine) == script.get_current_head()


def upgrade_database(engine: Engine, *, target: str = "head") -> str | None:
    """Run the missing migrations in one transaction.

    Returns
    -------
    The revision before, or None when the database was empty.

    Raises
    ------
    Conflict
        When the database was made by a newer version of the program.
    """
    if engine.dialect.name != "sqlite":
        # Servers that start at the same time.
        with hold_locks(engine, alone=["migration"]):
            return _upgrade(engine, target)
    return _upgrade(engine, target)


def _upgrade(engine: Engine, target: str) -> str | None:
    config = make_alembic_config()
    script = ScriptDirectory.from_config(config)
    before = get_revision(engine)
    if before is not None and before not in {step.revision for step in script.walk_revisions()}:
        raise Conflict(
            f"The database has revision {before}, which this version does not know: it was made "
            "by a newer Model Heritage."
        )
    if before == script.get_current_head() and target == "head":
        return before
    if before is not None:
        _back_up(engine, before)
    _run(engine, config, lambda: command.upgrade(config, target))
    return before


def downgrade_database(engine: Engine, target: str) -> None:
    """Go back to an earlier revision ("base": no tables), after a copy was made."""
    before = get_revision(engine)
    if before is not None:
        _back_up(engine, before)
    config = make_alembic_config()
    _run(engine, config, lambda: command.downgrade(config, target))


def _run(engine: Engine, config: Config, act: Callable[[], None]) -> None:
    """All steps in one transaction, on a connection of their own."""
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        try:
            act()
            connection.commit()
        finally:
            # It has its foreign keys off: it must not go back to the pool.
            connection.invalidate()


def _back_up(engine: Engine, revision: str) -> None:
    """Copy a SQLite file to ``<name>.before-<revision>``; other databases have their own tools."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return
    target = Path(f"{path}.before-{revision}")
    source = sqlite3.connect(path)
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()
