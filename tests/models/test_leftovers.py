from __future__ import annotations

import hashlib
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.leftovers import Freed, Leftovers
from model_heritage_backend.models.tables import EdgeEvidence, Job
from tests.databases import sqlite_only
from tests.models.rows import make_model
from tests.served import list_files


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "uploads", max_file_bytes=1 << 20)


@pytest.fixture
def leftovers(database: Database, files: FileStore) -> Leftovers:
    return Leftovers(database, files)


def write(path: Path, content: bytes = b"12345", *, days: float = 2) -> None:
    path.write_bytes(content)
    moment = time.time() - days * 86_400
    os.utime(path, (moment, moment))


def name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_dead_uploads_go_and_live_ones_stay(leftovers: Leftovers, files: FileStore) -> None:
    dead, fresh, mark = "a" * 32, "b" * 32, "c" * 64
    write(files.staging / dead)
    write(files.staging / fresh, days=0.5)
    write(files.staging / mark, b"")
    write(files.staging / "of somebody else")
    (files.staging / ("d" * 32)).symlink_to(files.data_dir)
    with files.stage() as staged:
        staged.write(b"x")
        os.utime(staged.path, (0, 0))
        assert leftovers.remove_dead_uploads() == Freed(1, 5)
        left = set(list_files(files.data_dir)["staging"])
        assert left == {fresh, mark, "of somebody else", "d" * 32, staged.path.name}


def test_files_of_models_that_are_gone(
    leftovers: Leftovers, files: FileStore, database: Database
) -> None:
    gone, unknown, marked, fresh = (name(word) for word in (b"1", b"2", b"3", b"4"))
    stored = make_model(1, "x")
    with database.write() as session:
        session.add(stored)
    jobs = JobQueue(database)
    for checksum in (gone, marked, fresh):
        jobs.add("process", model_id=f"m_{checksum[:16]}")
    for checksum in (gone, unknown, marked, stored.checksum, "not a checksum"):
        write(files.data_dir / "blobs" / checksum)
    write(files.data_dir / "blobs" / fresh, days=0.5)
    files.mark(marked)
    assert leftovers.remove_orphans() == (Freed(1, 5), [unknown])
    left = set(list_files(files.data_dir)["blobs"])
    assert left == {unknown, marked, fresh, stored.checksum, "not a checksum"}


def test_a_database_that_knows_nothing_removes_nothing(
    leftovers: Leftovers, files: FileStore
) -> None:
    """It may be the wrong one."""
    blobs = [name(bytes([n])) for n in range(5)]
    for checksum in blobs:
        write(files.data_dir / "blobs" / checksum)
    assert leftovers.remove_orphans() == (Freed(0, 0), sorted(blobs))
    assert list_files(files.data_dir)["blobs"] == sorted(blobs)


def test_records_of_what_is_long_over(leftovers: Leftovers, database: Database) -> None:
    jobs = JobQueue(database)
    old, new, open_one = (jobs.add("recluster") for _ in range(3))
    for job_id in (old, new):
        jobs.finish(job_id, {})
    with database.write() as session:
        past = now() - timedelta(days=91)
        session.execute(update(Job).where(Job.id == old).values(finished_at=past))
        session.execute(update(Job).where(Job.id == open_one).values(created_at=past))
    assert leftovers.remove_old_jobs(days=90) == 1
    with database.read() as session:
        assert {job.id for job in session.query(Job)} == {new, open_one}


def test_evidence_of_files_that_are_gone(leftovers: Leftovers, database: Database) -> None:
    first, second = make_model(1, "x"), make_model(2, "y")
    moved = first.checksum[:32] + "f" * 32
    keys = {
        f"3:{first.checksum}:{second.checksum}": True,
        f"3:{moved}:{second.checksum}": True,
        f"3:{first.checksum}:{name(b'gone')}": False,
        f"3:{name(b'gone')[:32]}{'f' * 32}:{second.checksum}": False,
    }
    with database.write() as session:
        session.add_all([first, second])
        session.add_all(EdgeEvidence(key=key, evidence={}) for key in keys)
    assert leftovers.remove_stray_evidence() == 2
    with database.read() as session:
        assert {row.key for row in session.query(EdgeEvidence)} == {k for k in keys if keys[k]}


@sqlite_only
def test_the_database_shrinks(leftovers: Leftovers, database: Database) -> None:
    with database.write() as session:
        session.add_all(EdgeEvidence(key=f"{n}", evidence={"x": "y" * 1000}) for n in range(2000))
    assert leftovers.compact() == 0
    with database.write() as session:
        session.query(EdgeEvidence).delete()
    assert leftovers.compact() > 1_000_000
    with database.write() as session:
        session.add(EdgeEvidence(key="still usable", evidence={}))
