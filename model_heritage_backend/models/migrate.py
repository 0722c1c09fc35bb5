"""Bringing a database to the newest revision, with a copy of the old one kept beside it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from model_heritage_backend.errors import Conflict, HeritageError
from model_heritage_backend.models.blobs import sync_folder
from model_heritage_backend.models.database_file import DatabaseFile
from model_heritage_backend.models.locks import hold_locks
from model_heritage_backend.models.staged_files import room_on_disk
from model_heritage_backend.places import MIGRATIONS

logger = logging.getLogger(__name__)


class MigrationFailed(HeritageError):
    """The database could not be changed for this version, and is as it was."""

    type = "migration-failed"
    title = "The database could not be upgraded"


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
    """Run the missing migrations in one transaction, after a copy was made.

    Returns
    -------
    The revision before, or None when the database was empty.

    Raises
    ------
    Conflict
        When the database was made by a newer version of the program.
    MigrationFailed
        The database is as it was.
    InsufficientStorage
        When there is no room for the copy.
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
    try:
        _run(engine, config, lambda: command.upgrade(config, target))
    except Exception as error:
        # Whatever a migration may raise, its transaction is undone: see _run.
        logger.exception("the migration failed")
        raise MigrationFailed(_tell_failure(engine, before, error)) from error
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


def _tell_failure(engine: Engine, before: str | None, error: Exception) -> str:
    script = ScriptDirectory.from_config(make_alembic_config())
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    left = f"It still has revision {before or 'none'}"
    if before is not None and engine.dialect.name == "sqlite":
        copy = _name_copy(engine.url.database or "", before)
        left += f", and a copy lies beside it ({copy.name})"
    return (
        f"The database could not be brought to revision {script.get_current_head()}: {reason}. "
        f"{left}: the version that ran before can go on with it."
    )


def _name_copy(path: str, revision: str) -> Path:
    return Path(f"{path}.before-{revision}")


def _back_up(engine: Engine, revision: str) -> None:
    """Copy a SQLite file to ``<name>.before-<revision>``, which is whole whenever it is there;
    other databases have their own tools."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return
    target = _name_copy(path, revision)
    new = target.with_name(target.name + ".new")
    new.unlink(missing_ok=True)
    with room_on_disk():
        DatabaseFile(Path(path)).copy(new)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(target)
        sync_folder(target.parent)
