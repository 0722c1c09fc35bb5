"""How alembic reaches the database: the server hands in its connection, the command line does not.

Foreign keys are off while SQLite is migrated. Changing a table there means copying it and dropping
the old one, and dropping a table whose rows others point at with ON DELETE CASCADE deletes those
others without a word. They stay off on that connection, which must not be used for anything else.
"""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.types import TypeEngine

from model_heritage_backend.models import (  # noqa: F401 - fill the metadata
    account_tables,
    claim_tables,
    tables,
)
from model_heritage_backend.models.database import Base, UtcDateTime


def render_item(kind: str, item: Any, _autogen_context: Any) -> str | bool:
    """Revisions name plain types only: they must outlive the program's own."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime()"
    return False


def compare_type(
    _context: Any, _column: Any, _metadata_column: Any, _inspected: Any, known: TypeEngine[Any]
) -> bool | None:
    return False if isinstance(known, UtcDateTime) else None


def behave_like_sqlite(connection: Connection) -> None:
    """What the tables are to hold in PostgreSQL, whichever revision made them: texts compared by
    their code points, whatever the database's language, and whole numbers of 64 bits."""
    query = (
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid"
        " LEFT JOIN pg_collation l ON l.oid = a.attcollation"
        " WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace"
        " AND a.attnum > 0 AND NOT a.attisdropped"
        " AND (a.atttypid = 'int4'::regtype OR l.collname <> 'C') ORDER BY c.relname, a.attnum"
    )
    for table, column, kind in connection.exec_driver_sql(query).fetchall():
        if table in Base.metadata.tables:
            new = "bigint" if kind == "integer" else f'{kind} COLLATE "C"'
            connection.exec_driver_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE {new}')


def run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # Outside a transaction: inside one, SQLite ignores this pragma.
        connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=compare_type,
    )
    with context.begin_transaction():
        context.run_migrations()
        if not sqlite:
            behave_like_sqlite(connection)
        if sqlite:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"the migration leaves rows that point nowhere: {broken[:5]}")


if context.is_offline_mode():
    raise SystemExit("Migrations read what is there (SQLite copies tables): run them online.")
handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    from flask import current_app

    with current_app.extensions["migrate"].db.engine.connect() as own:
        run(own)
        own.commit()
