from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend.errors import (
    HeritageError,
    InsufficientStorage,
    InvalidRequest,
    InvalidWeights,
)
from model_heritage_backend.jobs.executor import JobExecutor
from model_heritage_backend.jobs.lane import UNEXPECTED
from model_heritage_backend.jobs.outcome import Outcome
from model_heritage_backend.jobs.run import Cancelled, LetGo, OutOfTime, Progress, Stopped
from model_heritage_backend.models.database import Database, DatabaseBusy, open_engine
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.tables import Job
from tests.databases import get_address
from tests.jobs.over_redis import OverRedis
from tests.redis_server import RedisServer

Work = Callable[[Job, Progress], dict[str, Any]]
Run = Callable[..., Any]
SECONDS = 60
everywhere = pytest.mark.parametrize("run", ["threads", "redis"], indirect=True)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[JobQueue]:
    database = Database(open_engine(get_address(tmp_path)))
    yield JobQueue(database)
    database.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="heritage-redis-"))
    with RedisServer(folder) as server:
        yield server
    shutil.rmtree(folder)


@pytest.fixture(params=["threads"])
def run(request: pytest.FixtureRequest, jobs: JobQueue) -> Iterator[Run]:
    """Starts an executor: threads of this process, or of a test that is ``everywhere``, RQ workers,
    to which a real Redis carries the jobs."""
    started: list[JobExecutor | OverRedis] = []

    def start(work: Work, **options: Any) -> JobExecutor | OverRedis:
        if request.param == "redis":
            server: RedisServer = request.getfixturevalue("redis")
            started.append(OverRedis(jobs, work, server.url, pauses=(0.01,), **options))
        else:
            started.append(JobExecutor(jobs, work, pauses=(0.01,), **options))
        started[-1].start()
        return started[-1]

    yield start
    for executor in started:
        executor.stop()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


def fail(outcome: Outcome) -> HeritageError:
    """What a job failed with. Over Redis only the words are known, as they are in its row."""
    error = outcome.exception(SECONDS)
    assert isinstance(error, HeritageError)
    return error


def keep_on(_: Job, progress: Progress) -> dict[str, Any]:
    """Work that ends only when it is told to."""
    while True:
        progress(0.5, "half way")
        time.sleep(0.005)


@everywhere
def test_result_and_progress(jobs: JobQueue, run: Run) -> None:
    seen = []

    def work(job: Job, progress: Progress) -> dict[str, Any]:
        progress(0.5, "half way")
        wait_until(lambda: jobs.get(job.id).progress == 0.5)
        seen.append(jobs.get(job.id).stage)
        return {"family_id": job.family_id}

    executor = run(work)
    job_id = jobs.add("rebuild", family_id="f_1")
    assert executor.submit(job_id).result(SECONDS) == {"family_id": "f_1"}
    assert seen == ["half way"]
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
    assert [jobs.get(job_id).attempts for job_id in order] == [2, 1, 1]


@everywhere
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
    assert fail(outcomes[0]).detail == "The file is broken."
    assert fail(outcomes[1]).detail == UNEXPECTED
    assert outcomes[2].result(SECONDS) == {}
    states = [(jobs.get(job_id).state, jobs.get(job_id).error) for job_id in ids]
    assert states == [("failed", "The file is broken."), ("failed", UNEXPECTED), ("done", None)]
    assert [jobs.get(job_id).attempts for job_id in ids] == [1, 1, 1]
    assert "secret" in caplog.text


@everywhere
@pytest.mark.parametrize(("faults", "state"), [(2, "done"), (3, "failed")])
def test_faults_of_the_world_are_tried_again(
    jobs: JobQueue, run: Run, caplog: pytest.LogCaptureFixture, faults: int, state: str
) -> None:
    tries = []

    def work(job: Job, _: Progress) -> dict[str, Any]:
        tries.append(jobs.get(job.id).attempts)
        if len(tries) <= faults:
            raise InsufficientStorage("The disk is full.")
        return {}

    executor = run(work)
    job_id = jobs.add("recluster")
    outcome = executor.submit(job_id)
    assert (outcome.exception(SECONDS) is None) == (state == "done")
    assert tries == [1, 2, 3]
    job = jobs.get(job_id)
    assert (job.state, job.attempts) == (state, 3)
    assert job.error == (None if state == "done" else "The disk is full.")


@everywhere
def test_a_full_disk_takes_no_record_either(
    jobs: JobQueue, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is done all the same, once there is room again."""
    full = [True]
    finish = jobs.finish

    def refuse(*values: Any, **options: Any) -> bool:
        if full:
            full.pop()
            raise InsufficientStorage("The disk is full.")
        return finish(*values, **options)

    monkeypatch.setattr(jobs, "finish", refuse)
    executor = run(lambda *_: {})
    job_id = jobs.add("recluster")
    assert executor.submit(job_id).result(SECONDS) == {}
    assert (jobs.get(job_id).state, jobs.get(job_id).attempts) == ("done", 2)


@everywhere
def test_a_busy_database_makes_no_job_forgotten(
    jobs: JobQueue, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = [True]
    claim = jobs.claim

    def refuse(job_id: str) -> Job | None:
        if busy:
            busy.pop()
            raise DatabaseBusy("The database is in use.")
        return claim(job_id)

    monkeypatch.setattr(jobs, "claim", refuse)
    assert run(lambda *_: {"x": 1}).submit(jobs.add("recluster")).result(SECONDS) == {"x": 1}


def test_a_failure_that_cannot_be_recorded_does_not_end_the_thread(
    jobs: JobQueue, run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def work(job: Job, _: Progress) -> dict[str, Any]:
        return {"not JSON": object()} if job.kind == "rebuild" else {}

    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(jobs, "fail", refuse)
    executor = run(work)
    lost, fine = jobs.add("rebuild"), jobs.add("recluster")
    assert executor.submit(lost).exception(SECONDS) is not None
    assert executor.submit(fine).result(SECONDS) == {}
    # It is open still: the next start does it again.
    assert jobs.recover() == [lost]


@everywhere
def test_cancelled_jobs_are_not_run(jobs: JobQueue, run: Run) -> None:
    ran: list[str] = []

    def work(job: Job, _: Progress) -> dict[str, Any]:
        ran.append(job.id)
        return {}

    executor = run(work)
    job_id = jobs.add("recluster")
    jobs.cancel(job_id)
    error = executor.submit(job_id).exception(SECONDS)
    assert isinstance(executor, OverRedis) == (error is not None)
    assert ran == []


@everywhere
@pytest.mark.parametrize("told", [True, False])
def test_a_running_job_stops_where_it_reports(jobs: JobQueue, run: Run, told: bool) -> None:
    """Told by this process, or by another one that writes into the table only."""
    executor = run(keep_on)
    job_id = jobs.add("recluster")
    outcome = executor.submit(job_id)
    wait_until(lambda: jobs.get(job_id).state == "running")
    assert not jobs.cancel(job_id)
    if told:
        executor.cancel(job_id)
    error = outcome.exception(SECONDS)
    assert error is not None
    assert isinstance(executor, OverRedis) or isinstance(error, Cancelled)
    assert jobs.get(job_id).state == "cancelled"


@everywhere
def test_a_job_has_its_time_and_no_more(jobs: JobQueue, run: Run) -> None:
    executor = run(keep_on, time_limits={"recluster": 0.05})
    job_id = jobs.add("recluster")
    error = fail(executor.submit(job_id))
    assert isinstance(executor, OverRedis) or isinstance(error, OutOfTime)
    job = jobs.get(job_id)
    assert (job.state, job.attempts) == ("failed", 1)
    assert job.error is not None
    assert "longer than" in job.error


def test_time_limits_are_of_kinds_that_there_are(jobs: JobQueue) -> None:
    with pytest.raises(InvalidRequest, match="nothing"):
        JobExecutor(jobs, keep_on, time_limits={"nothing": 1.0})


def test_what_was_taken_over_is_let_go(jobs: JobQueue, run: Run) -> None:
    taken: list[Job | None] = []

    def work(job: Job, progress: Progress) -> dict[str, Any]:
        jobs.beat(job.id, worker=job.worker, lease_seconds=-1)
        taken.append(jobs.claim(job.id))
        return keep_on(job, progress)

    executor = run(work)
    job_id = jobs.add("recluster")
    assert isinstance(executor.submit(job_id).exception(SECONDS), LetGo)
    assert taken[0] is not None
    assert jobs.get(job_id).worker == taken[0].worker


def test_no_job_changes_the_genealogy_while_paused(jobs: JobQueue, run: Run) -> None:
    executor = run(lambda *_: {})
    with executor.paused():
        outcome = executor.submit(jobs.add("recluster"))
        assert executor.submit(jobs.add("import")).result(SECONDS) == {}
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
    time.sleep(0.05)
    go_on.set()
    stopper.join(SECONDS)
    assert all(isinstance(outcome.exception(SECONDS), Stopped) for outcome in outcomes)
    late = jobs.add("recluster")
    assert isinstance(executor.submit(late).exception(SECONDS), Stopped)
    assert jobs.recover() == [*ids, late]
    # Stopping is no attempt that failed.
    assert jobs.get(ids[0]).attempts == 0


def test_a_job_that_does_not_stop_is_given_back(
    jobs: JobQueue, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_heritage_backend.jobs.executor.STOP_SECONDS", 0.05)
    begun, go_on = threading.Event(), threading.Event()

    def work(_: Job, __: Progress) -> dict[str, Any]:
        begun.set()
        go_on.wait(SECONDS)
        return {}

    executor = run(work)
    job_id = jobs.add("recluster")
    outcome = executor.submit(job_id)
    assert begun.wait(SECONDS)
    executor.stop()
    job = jobs.get(job_id)
    assert (job.state, job.attempts) == ("queued", 0)
    go_on.set()
    outcome.exception(SECONDS)
    assert jobs.get(job_id).state == "queued"


@pytest.mark.parametrize("run", ["redis"], indirect=True)
def test_what_is_lost_or_said_twice_on_the_way_is_done_once(jobs: JobQueue, run: Run) -> None:
    done: list[str] = []

    def work(job: Job, _: Progress) -> dict[str, Any]:
        done.append(job.id)
        return {}

    executor = run(work)
    twice, lost = jobs.add("rebuild"), jobs.add("recluster")
    outcomes = [executor.submit(twice) for _ in range(2)]
    assert [outcome.result(SECONDS) for outcome in outcomes] == [{}, {}]
    # Its row is all that is left of the other.
    wait_until(lambda: jobs.get(lost).state == "done")
    assert sorted(done) == sorted([twice, lost])
