from __future__ import annotations

import pytest

from model_heritage_backend.errors import Conflict, NotFound
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.job_queue import JobQueue, build_job
from model_heritage_backend.models.lake import Lake
from tests.models.rows import make_model


@pytest.fixture
def jobs(database: Database) -> JobQueue:
    return JobQueue(database)


def test_a_jobs_life(jobs: JobQueue) -> None:
    job_id = jobs.add("rebuild", family_id="f_1")
    job = jobs.get(job_id)
    assert (job.state, job.progress, job.family_id, job.started_at) == ("queued", 0.0, "f_1", None)
    claimed = jobs.claim(job_id)
    assert claimed is not None
    assert claimed.state == "running"
    assert jobs.claim(job_id) is None
    jobs.finish(job_id, {"status": "success"})
    job = jobs.get(job_id)
    assert (job.state, job.progress, job.result) == ("done", 1.0, {"status": "success"})
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.started_at <= job.finished_at


def test_newest_first(jobs: JobQueue) -> None:
    ids = [jobs.add("recluster") for _ in range(3)]
    listed, total = jobs.list_newest(limit=2)
    assert [job.id for job in listed] == ids[:0:-1]
    assert total == 3


def test_one_waiting_recluster_is_enough(jobs: JobQueue) -> None:
    first, new = jobs.add_recluster()
    assert new
    assert jobs.add_recluster() == (first, False)
    jobs.claim(first)
    # Models may have come since it began.
    second, new = jobs.add_recluster()
    assert new
    assert second != first


def test_recovery_queues_what_was_interrupted_in_its_order(jobs: JobQueue) -> None:
    ids = [jobs.add("recluster") for _ in range(4)]
    jobs.claim(ids[1])
    jobs.claim(ids[0])
    jobs.finish(ids[0], {})
    jobs.fail(ids[3], "no")
    assert jobs.recover() == [ids[1], ids[2]]
    assert jobs.claim(ids[1]) is not None


def test_recovery_finds_models_without_a_job(jobs: JobQueue, database: Database) -> None:
    served = build_job("process", model_id="m_001")
    with database.write() as session:
        session.add_all(make_model(n, "x", status="processing") for n in (1, 2))
        session.add(make_model(3, "x"))
        session.add(served)
    recovered = [jobs.get(job_id) for job_id in jobs.recover()]
    assert [(job.kind, job.model_id) for job in recovered] == [
        ("process", "m_001"),
        ("process", "m_002"),
    ]


def test_cancelling(jobs: JobQueue, database: Database) -> None:
    with database.write() as session:
        session.add(make_model(1, "x", status="processing"))
    job_id = jobs.add("process", model_id="m_001")
    jobs.cancel(job_id)
    assert jobs.get(job_id).state == "failed"
    assert jobs.claim(job_id) is None
    assert jobs.recover() == []
    row = Lake(database).get("m_001").row
    assert row.status == "error"
    assert row.error is not None
    assert "cancelled" in row.error


def test_only_queued_jobs_can_be_cancelled(jobs: JobQueue) -> None:
    job_id = jobs.add("recluster")
    jobs.claim(job_id)
    with pytest.raises(Conflict, match="running"):
        jobs.cancel(job_id)
    with pytest.raises(NotFound):
        jobs.cancel("nothing")
