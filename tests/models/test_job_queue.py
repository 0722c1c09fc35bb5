from __future__ import annotations

import pytest

from model_heritage_backend.errors import Conflict, NotFound
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.job_queue import JobQueue, Order, build_job
from model_heritage_backend.models.tables import FingerprintRow, Job, Model
from tests.models.rows import make_model


@pytest.fixture
def jobs(database: Database) -> JobQueue:
    return JobQueue(database)


def add_model(database: Database, *, status: str = "processing") -> None:
    with database.write() as session:
        session.add(make_model(1, "x", status=status))
        session.flush()
        session.add(
            FingerprintRow(model_id="m_001", version=1, level="full", admitted=True, data=b"x")
        )


def look(database: Database) -> tuple[str, str | None, bool]:
    """The model's status and error, and whether the engine sees it."""
    with database.read() as session:
        row = session.get_one(Model, "m_001")
        return row.status, row.error, session.get_one(FingerprintRow, "m_001").admitted


def claim(jobs: JobQueue, job_id: str, **options: float) -> Job:
    job = jobs.claim(job_id, **options)
    assert job is not None
    return job


def test_a_jobs_life(jobs: JobQueue) -> None:
    job_id = jobs.add("import", parameters={"folder": "/x"})
    job = jobs.get(job_id)
    assert (job.state, job.progress, job.started_at, job.attempts) == ("queued", 0.0, None, 0)
    assert job.parameters == {"folder": "/x"}
    claimed = claim(jobs, job_id)
    assert (claimed.state, claimed.attempts) == ("running", 1)
    assert jobs.claim(job_id) is None
    order = jobs.beat(job_id, worker=claimed.worker, progress=(0.5, "half way"))
    assert order is Order.GO_ON
    job = jobs.get(job_id)
    assert (job.progress, job.stage) == (0.5, "half way")
    assert jobs.finish(job_id, {"status": "success"}, worker=claimed.worker)
    job = jobs.get(job_id)
    assert (job.state, job.progress, job.result) == ("done", 1.0, {"status": "success"})
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.started_at <= job.finished_at


def test_renewing_the_lease_changes_nothing_that_is_shown(jobs: JobQueue) -> None:
    job = claim(jobs, jobs.add("recluster"), lease_seconds=5)
    jobs.beat(job.id, worker=job.worker, progress=(0.5, "half way"))
    before = jobs.get(job.id)
    jobs.beat(job.id, worker=job.worker, progress=(0.5, "half way"), lease_seconds=500)
    after = jobs.get(job.id)
    assert after.updated_at == before.updated_at
    assert before.lease_until is not None
    assert after.lease_until is not None
    assert after.lease_until > before.lease_until


def test_only_an_expired_lease_can_be_taken_over(jobs: JobQueue) -> None:
    job_id = jobs.add("recluster")
    first = claim(jobs, job_id, lease_seconds=-1)
    second = claim(jobs, job_id)
    assert second.worker != first.worker
    assert second.attempts == 2
    assert jobs.claim(job_id) is None
    # Whoever lost it changes nothing any more.
    assert jobs.beat(job_id, worker=first.worker, progress=(0.9, "late")) is Order.LET_GO
    assert not jobs.finish(job_id, {}, worker=first.worker)
    jobs.fail(job_id, "late", worker=first.worker)
    jobs.give_back(job_id, worker=first.worker)
    job = jobs.get(job_id)
    assert (job.state, job.worker, job.stage) == ("running", second.worker, "starting")


def test_the_last_attempt_is_not_taken_over(jobs: JobQueue) -> None:
    job_id = jobs.add("recluster")
    for _ in range(3):
        claim(jobs, job_id, lease_seconds=-1)
    assert jobs.claim(job_id) is None
    assert jobs.get(job_id).state == "failed"


def test_one_that_waits_is_enough(jobs: JobQueue) -> None:
    first, new = jobs.add_once("recluster")
    assert new
    assert jobs.add_once("recluster") == (first, False)
    assert jobs.add_once("cleanup")[1]
    jobs.claim(first)
    # Models may have come since it began.
    second, new = jobs.add_once("recluster")
    assert new
    assert second != first


def test_recovery_queues_what_was_interrupted_in_its_order(jobs: JobQueue) -> None:
    ids = [jobs.add("recluster") for _ in range(4)]
    jobs.claim(ids[1])
    jobs.finish(ids[0], {})
    jobs.fail(ids[3], "no")
    files = jobs.add("import")
    jobs.claim(files)
    assert jobs.recover(["recluster"]) == [ids[1], ids[2]]
    assert jobs.get(files).state == "running"
    assert jobs.recover(["import"]) == [files]
    assert claim(jobs, ids[1]).attempts == 2


def test_after_three_interruptions_it_is_given_up(jobs: JobQueue, database: Database) -> None:
    add_model(database)
    job_id = jobs.add("process", model_id="m_001")
    for attempt in (1, 2, 3):
        assert claim(jobs, job_id).attempts == attempt
        assert jobs.recover() == ([job_id] if attempt < 3 else [])
    job = jobs.get(job_id)
    assert job.state == "failed"
    assert job.error is not None
    assert "3 times" in job.error
    assert look(database) == ("error", job.error, False)


def test_giving_back_is_no_attempt(jobs: JobQueue) -> None:
    job_id = jobs.add("recluster")
    for _ in range(5):
        job = claim(jobs, job_id)
        jobs.give_back(job_id, worker=job.worker)
    assert jobs.get(job_id).attempts == 0


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


def test_a_failure_is_recorded_on_the_model(jobs: JobQueue, database: Database) -> None:
    add_model(database)
    job = claim(jobs, jobs.add("process", model_id="m_001"))
    jobs.fail(job.id, "The file is broken.", worker=job.worker)
    assert jobs.get(job.id).error == "The file is broken."
    assert look(database) == ("error", "The file is broken.", False)


def test_cancelling_what_has_not_begun(jobs: JobQueue, database: Database) -> None:
    add_model(database)
    job_id = jobs.add("process", model_id="m_001")
    assert jobs.cancel(job_id)
    assert jobs.get(job_id).state == "cancelled"
    assert jobs.claim(job_id) is None
    assert jobs.recover() == []
    status, error, admitted = look(database)
    assert (status, admitted) == ("error", False)
    assert error is not None
    assert "cancelled" in error


def test_a_model_that_has_its_place_keeps_it_when_placing_it_again_is_cancelled(
    jobs: JobQueue, database: Database
) -> None:
    add_model(database, status="ok")
    jobs.cancel(jobs.add("reprocess", model_id="m_001"))
    assert look(database) == ("ok", None, True)


def test_cancelling_what_runs(jobs: JobQueue) -> None:
    job = claim(jobs, jobs.add("recluster"))
    assert not jobs.cancel(job.id)
    assert (jobs.get(job.id).state, jobs.get(job.id).stage) == ("running", "cancelling")
    assert jobs.beat(job.id, worker=job.worker, progress=(0.5, "half way")) is Order.CANCEL
    assert jobs.get(job.id).stage == "cancelling"
    # The server ends before the job has seen it.
    assert jobs.recover() == []
    assert jobs.get(job.id).state == "cancelled"


def test_what_is_over_cannot_be_cancelled(jobs: JobQueue) -> None:
    job_id = jobs.add("recluster")
    jobs.finish(job_id, {})
    with pytest.raises(Conflict, match="done"):
        jobs.cancel(job_id)
    with pytest.raises(NotFound):
        jobs.cancel("nothing")


def test_retrying(jobs: JobQueue, database: Database) -> None:
    add_model(database)
    job_id = jobs.add("process", model_id="m_001")
    with pytest.raises(Conflict, match="queued"):
        jobs.retry(job_id)
    for _ in range(3):
        job = claim(jobs, job_id)
        jobs.recover()
    assert jobs.get(job_id).state == "failed"
    jobs.retry(job_id)
    job = jobs.get(job_id)
    assert (job.state, job.attempts, job.error, job.finished_at) == ("queued", 0, None, None)
    assert look(database)[:2] == ("processing", None)
    jobs.cancel(job_id)
    jobs.retry(job_id)
    job = claim(jobs, job_id)
    assert jobs.beat(job_id, worker=job.worker) is Order.GO_ON
    jobs.finish(job_id, {}, worker=job.worker)
    with pytest.raises(Conflict, match="done"):
        jobs.retry(job_id)
    with pytest.raises(NotFound):
        jobs.retry("nothing")
