from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, IntegrityError, InternalError, StatementError

from model_heritage_backend.models.database import Database, DatabaseBusy, open_engine
from model_heritage_backend.models.tables import AuditEntry, FingerprintRow
from tests.databases import get_address, postgres_only, sqlite_only


@pytest.fixture
def url(tmp_path: Path) -> str:
    return get_address(tmp_path)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(open_engine(url))
    yield database
    database.close()


def make_entry(**changes: object) -> AuditEntry:
    return AuditEntry(**{"actor": "a", "action": "b", "subject": "c", "detail": {}} | changes)


@sqlite_only
def test_survives_power_cuts_and_keeps_references(database: Database) -> None:
    with database.read() as session:
        found = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 15_000,
    }


def test_references_are_checked(database: Database) -> None:
    row = FingerprintRow(model_id="nobody", version=1, level="full", admitted=True, data=b"")
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(row)


def test_a_write_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(make_entry())
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert session.query(AuditEntry).count() == 0


@sqlite_only
def test_writers_wait_for_each_other_and_readers_do_not(url: str, database: Database) -> None:
    other = Database(open_engine(url, wait_seconds=0.02), wait_seconds=0.02)
    with database.write() as session:
        # Reading is enough: whoever may write later must not see others write in between.
        assert session.query(AuditEntry).count() == 0
        with pytest.raises(DatabaseBusy), other.write() as second:
            second.query(AuditEntry).count()
        with other.read() as reader:
            assert reader.query(AuditEntry).count() == 0
        session.add(make_entry())
    with other.read() as reader:
        assert reader.query(AuditEntry).count() == 1
    other.close()


def test_times_are_utc_whatever_zone_they_came_in(database: Database) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=5)))
    with database.write() as session:
        session.add(make_entry(created_at=noon))
    with database.read() as session:
        read = session.query(AuditEntry).one().created_at
    assert read == noon
    assert read.tzinfo is UTC


def test_times_without_zone_are_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="zone"), database.write() as session:
        session.add(make_entry(created_at=datetime(2026, 1, 1)))


@sqlite_only
def test_a_program_that_knows_no_turns_is_waited_for(url: str, database: Database) -> None:
    """Then SQLite's own lock counts, for as long."""
    other = Database(open_engine(url), wait_seconds=0.3)
    with contextlib.closing(sqlite3.connect(other.engine.url.database or "")) as stranger:
        stranger.isolation_level = None
        stranger.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(DatabaseBusy) as caught, other.write() as session:
            session.add(make_entry())
        assert 0.25 < time.monotonic() - began < 30
        assert caught.value.retry_after
        stranger.execute("ROLLBACK")
    with other.write() as session:
        session.add(make_entry())
    other.close()


@sqlite_only
def test_no_checkpoint_meets_a_commit(database: Database) -> None:
    """Tidying up waits for its turn, as a writer does: see ``WriterTurn``."""
    order: list[str] = []
    with database.write() as session:
        session.add(make_entry())
        tidying = threading.Thread(target=lambda: order.append(f"tidied {database.compact(1.0)}"))
        tidying.start()
        tidying.join(0.1)
        assert tidying.is_alive()
        order.append("committed")
    tidying.join(10)
    assert order == ["committed", "tidied 0"]


@pytest.mark.parametrize("change", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log"])
def test_the_audit_log_only_grows(database: Database, change: str) -> None:
    with database.write() as session:
        session.add(make_entry())
    with pytest.raises(DatabaseError, match="only grows"), database.write() as session:
        session.execute(text(change))


@postgres_only
def test_tables_of_postgresql_compare_and_count_as_sqlite_does(database: Database) -> None:
    """Whichever revision made them."""
    query = (
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
        " AND (data_type = 'integer' OR collation_name <> 'C' OR"
        " (data_type IN ('text', 'character varying') AND collation_name IS NULL))"
    )
    with database.read() as session:
        assert session.execute(text(query)).all() == []


@postgres_only
def test_nul_finds_nothing_and_is_kept_as_a_mark(database: Database) -> None:
    with database.write() as session:
        session.add(make_entry(actor="a\0b", detail={"said": "a\0b"}))
    with database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.actor == "a\0b")).one()
    assert (entry.actor, entry.detail) == ("a\N{REPLACEMENT CHARACTER}b", {"said": "a\0b"})


@postgres_only
def test_a_reading_session_sees_one_state(database: Database) -> None:
    with database.read() as session:
        assert session.query(AuditEntry).count() == 0
        with database.write() as other:
            other.add(make_entry())
        assert session.query(AuditEntry).count() == 0
    with pytest.raises(InternalError, match="read-only"), database.read() as session:
        session.add(make_entry())
        session.flush()


@postgres_only
def test_writes_that_go_by_what_they_read_come_one_after_another(database: Database) -> None:
    def add_one(_: int) -> None:
        with database.write() as session:
            number = session.query(AuditEntry).count()
            session.add(make_entry(subject=str(number)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(24)))
    with database.read() as session:
        subjects = session.scalars(select(AuditEntry.subject)).all()
    assert sorted(map(int, subjects)) == list(range(24))
