from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from model_heritage_backend.errors import HeritageError, InvalidWeights
from model_heritage_backend.jobs.executor import UNEXPECTED, JobExecutor, Progress, Stopped
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.migrate import upgrade_database
from model_heritage_backend.models.tables import Job

Run = Callable[[Callable[[Job, Progress], dict[str, Any]]], JobExecutor]
SECONDS = 5


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[JobQueue]:
    database = Database(create_engine(f"sqlite:///{tmp_path}/app.db"))
    upgrade_database(database.engine)
    yield JobQueue(database)
    database.close()


@pytest.fixture
def run(jobs: JobQueue) -> Iterator[Run]:
    started: list[JobExecutor] = []

    def start(work: Callable[[Job, Progress], dict[str, Any]]) -> JobExecutor:
        started.append(JobExecutor(jobs, work))
        started[-1].start()
        return started[-1]

    yield start
    for executor in started:
        executor.stop()


def test_result_and_progress(jobs: JobQueue, run: Run) -> None:
    seen = []

    def work(job: Job, progress: Progress) -> dict[str, Any]:
        progress(0.5, "half way")
        seen.append((jobs.get(job.id).progress, jobs.get(job.id).stage))
        return {"family_id": job.family_id}

    executor = run(work)
    job_id = jobs.add("rebuild", family_id="f_1")
    assert executor.submit(job_id).result(SECONDS) == {"family_id": "f_1"}
    assert seen == [(0.5, "half way")]
    assert jobs.get(job_id).state == "done"
    assert jobs.get(job_id).result == {"family_id": "f_1"}


def test_unfinished_work_comes_first(jobs: JobQueue, run: Run) -> None:
    interrupted, queued = jobs.add("recluster"), jobs.add("rebuild")
    jobs.claim(interrupted)
    order: list[str] = []

    def work(job: Job, _: Progress) -> dict[str, Any]:
        order.append(job.id)
        return {}

    executor = run(work)
    new = jobs.add("recluster")
    executor.submit(new).result(SECONDS)
    assert order == [interrupted, queued, new]


def test_failures_are_told_and_the_next_job_runs(
    jobs: JobQueue, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[Exception] = [InvalidWeights("The file is broken."), ZeroDivisionError("secret")]

    def work(_: Job, __: Progress) -> dict[str, Any]:
        if errors:
            raise errors.pop(0)
        return {}

    executor = run(work)
    ids = [jobs.add("recluster") for _ in range(3)]
    outcomes = [executor.submit(job_id) for job_id in ids]
    assert isinstance(outcomes[0].exception(SECONDS), InvalidWeights)
    unexpected = outcomes[1].exception(SECONDS)
    assert isinstance(unexpected, HeritageError)
    assert unexpected.detail == UNEXPECTED
    assert outcomes[2].result(SECONDS) == {}
    states = [(jobs.get(job_id).state, jobs.get(job_id).error) for job_id in ids]
    assert states == [("failed", "The file is broken."), ("failed", UNEXPECTED), ("done", None)]
    assert "secret" in caplog.text


def test_a_failure_that_cannot_be_recorded_does_not_end_the_thread(
    jobs: JobQueue, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def work(job: Job, _: Progress) -> dict[str, Any]:
        return {"not JSON": object()} if job.kind == "rebuild" else {}

    executor = run(work)
    lost, fine = jobs.add("rebuild"), jobs.add("recluster")
    assert executor.submit(lost).exception(SECONDS) is not None
    assert executor.submit(fine).result(SECONDS) == {}
    # It is open still: the next start does it again.
    assert jobs.recover() == [lost]


def test_cancelled_jobs_are_not_run(jobs: JobQueue, run: Run) -> None:
    ran: list[str] = []

    def work(job: Job, _: Progress) -> dict[str, Any]:
        ran.append(job.id)
        return {}

    executor = run(work)
    job_id = jobs.add("recluster")
    jobs.cancel(job_id)
    assert executor.submit(job_id).result(SECONDS) == {}
    assert ran == []


def test_no_job_runs_while_paused(jobs: JobQueue, run: Run) -> None:
    executor = run(lambda *_: {})
    with executor.paused():
        outcome = executor.submit(jobs.add("recluster"))
        with pytest.raises(TimeoutError):
            outcome.result(0.05)
    assert outcome.result(SECONDS) == {}


def test_stopping_leaves_the_rest_for_the_next_start(jobs: JobQueue, run: Run) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(_: Job, progress: Progress) -> dict[str, Any]:
        begun.set()
        go_on.wait(SECONDS)
        progress(0.5, "half way")
        return {}

    executor = run(work)
    ids = [jobs.add("recluster") for _ in range(3)]
    outcomes = [executor.submit(job_id) for job_id in ids]
    assert begun.wait(SECONDS)
    stopper = threading.Thread(target=executor.stop)
    stopper.start()
    go_on.set()
    stopper.join(SECONDS)
    assert all(isinstance(outcome.exception(SECONDS), Stopped) for outcome in outcomes)
    late = jobs.add("recluster")
    assert isinstance(executor.submit(late).exception(SECONDS), Stopped)
    assert jobs.recover() == [*ids, late]
