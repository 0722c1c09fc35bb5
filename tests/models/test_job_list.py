from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.job_list import JobList, estimate_rest
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.tables import Job

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def jobs(database: Database) -> JobQueue:
    return JobQueue(database)


@pytest.fixture
def listing(database: Database) -> JobList:
    return JobList(database)


def test_pages_go_on_where_they_ended(jobs: JobQueue, listing: JobList) -> None:
    ids = [jobs.add("recluster") for _ in range(5)]
    first = listing.list_page(limit=2)
    assert [job.id for job in first.jobs] == [ids[4], ids[3]]
    assert first.total == 5
    jobs.add("recluster")
    second = listing.list_page(limit=3, cursor=first.next_cursor)
    assert [job.id for job in second.jobs] == [ids[2], ids[1], ids[0]]
    assert second.next_cursor is None


def test_filters(jobs: JobQueue, listing: JobList) -> None:
    placed = jobs.add("process", model_id="m_1")
    other = jobs.add("process", model_id="m_2")
    cleanup = jobs.add("cleanup")
    jobs.claim(other)

    def find(**wanted: Any) -> list[str]:
        page = listing.list_page(**wanted)
        assert page.total == len(page.jobs)
        return [job.id for job in page.jobs]

    assert find(kind="process") == [other, placed]
    assert find(state="queued") == [cleanup, placed]
    assert find(model="m_1") == [placed]
    assert find(model="m_1", state="running") == []


@pytest.mark.parametrize(
    "cursor",
    ["x", "é", base64.b64encode(b"job x").decode(), base64.b64encode(b"job " + b"9" * 30).decode(),
     base64.b64encode(b"model 3").decode(), base64.b64encode("job ٣".encode()).decode()],
)  # fmt: skip
def test_cursors_of_others_are_refused(listing: JobList, cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        listing.list_page(cursor=cursor)


@pytest.mark.parametrize(
    ("state", "progress", "seconds", "rest"),
    [
        ("running", 0.25, 30.0, 90.0),
        ("running", 1.0, 30.0, 0.0),
        ("running", 0.0, 30.0, None),
        ("running", 0.5, 0.1, None),
        ("done", 1.0, 30.0, None),
    ],
)
def test_what_is_left(state: str, progress: float, seconds: float, rest: float | None) -> None:
    job = Job(
        state=state,
        progress=progress,
        started_at=START,
        updated_at=START + timedelta(seconds=seconds),
    )
    assert estimate_rest(job) == rest
