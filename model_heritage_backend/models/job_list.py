"""Jobs as people look at them: newest first, page by page, with what can be told of the rest."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.paging import LARGEST_INTEGER
from model_heritage_backend.models.tables import Job

TELLING_SHARE = 0.02
TELLING_SECONDS = 2.0
"""Below these, what a job has done says too little about what is left."""


@dataclass(frozen=True)
class JobPage:
    """``total`` counts all jobs that the filters let through."""

    jobs: list[Job]
    total: int
    next_cursor: str | None


class JobList:
    """Questions about jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_page(
        self,
        *,
        state: str | None = None,
        kind: str | None = None,
        model: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> JobPage:
        """The newest first; a cursor goes on where a page ended, whatever came since.

        Raises
        ------
        InvalidRequest
            When the cursor was not given out by this list.
        """
        wanted = {"state": state, "kind": kind, "model_id": model}
        query: Select[Any] = select(Job)
        count: Select[Any] = select(func.count()).select_from(Job)
        for column, value in wanted.items():
            if value is not None:
                query = query.where(getattr(Job, column) == value)
                count = count.where(getattr(Job, column) == value)
        if cursor is not None:
            query = query.where(Job.number < _read_cursor(cursor))
        with self._database.read() as session:
            total = session.scalar(count) or 0
            jobs = list(session.scalars(query.order_by(Job.number.desc()).limit(limit + 1)))
        more, jobs = len(jobs) > limit, jobs[:limit]
        return JobPage(jobs, total, _write_cursor(jobs[-1].number) if more else None)

    def find_last_seconds(self, kind: str) -> float | None:
        """How long the newest job of a kind took that was done; None when there is none."""
        query = select(Job).where(
            Job.kind == kind, Job.state == "done", Job.started_at.is_not(None)
        )
        with self._database.read() as session:
            job = session.scalar(query.order_by(Job.number.desc()).limit(1))
        if job is None or job.started_at is None or job.finished_at is None:
            return None
        return (job.finished_at - job.started_at).total_seconds()


def estimate_rest(job: Job) -> float | None:
    """Seconds that a running job still needs, as it was when its progress was last reported.

    A function of what is stored alone: asked again, an unchanged job gives the same. None where it
    cannot be told.
    """
    if job.state != "running" or job.started_at is None or job.progress < TELLING_SHARE:
        return None
    seconds = (job.updated_at - job.started_at).total_seconds()
    if seconds < TELLING_SECONDS:
        return None
    return round(seconds * (1.0 - job.progress) / job.progress, 1)


def _write_cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"job {number}".encode()).decode()


def _read_cursor(cursor: str) -> int:
    try:
        word, number = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().split(" ")
        if word != "job" or not number.isascii() or not number.isdecimal():
            raise ValueError("of another list")
        value = int(number)
        if not 0 < value <= LARGEST_INTEGER:
            raise ValueError("not a number of a job")
    except ValueError as error:
        raise InvalidRequest("The cursor is not one that this list gave out.") from error
    return value
