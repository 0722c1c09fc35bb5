"""The jobs table: what is to be done, in the order it was asked for, and what became of it."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from model_heritage_backend.errors import Conflict, NotFound
from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.tables import Job, Model

OPEN_STATES = ("queued", "running")
CANCELLED = "It was cancelled before it began."


def build_job(kind: str, *, model_id: str | None = None, family_id: str | None = None) -> Job:
    """A queued job that is not stored yet."""
    job_id = f"j_{uuid.uuid4().hex[:16]}"
    return Job(id=job_id, kind=kind, model_id=model_id, family_id=family_id)


class JobQueue:
    """Queries of jobs; running them is the executor's work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, kind: str, *, model_id: str | None = None, family_id: str | None = None) -> str:
        job = build_job(kind, model_id=model_id, family_id=family_id)
        with self._database.write() as session:
            session.add(job)
        return job.id

    def add_recluster(self) -> tuple[str, bool]:
        """(id, whether it is new): one that still waits does the work of any number."""
        waiting = select(Job.id).where(Job.kind == "recluster", Job.state == "queued")
        with self._database.write() as session:
            known = session.scalar(waiting.order_by(Job.number).limit(1))
            if known is not None:
                return known, False
            job = build_job("recluster")
            session.add(job)
        return job.id, True

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        with self._database.read() as session:
            return _get_job(session, job_id)

    def list_newest(self, *, limit: int) -> tuple[list[Job], int]:
        """The newest jobs, and how many there are in all."""
        with self._database.read() as session:
            jobs = list(session.scalars(select(Job).order_by(Job.number.desc()).limit(limit)))
            return jobs, session.scalar(select(func.count()).select_from(Job)) or 0

    def recover(self) -> list[str]:
        """What a former process left open, queued again; ids in the order they were asked for.

        A model that is marked as being processed gets a job, should it have none.
        """
        with self._database.write() as session:
            session.execute(update(Job).where(Job.state == "running").values(state="queued"))
            served = select(Job.model_id).where(
                Job.state == "queued", Job.kind == "process", Job.model_id.is_not(None)
            )
            forgotten = session.scalars(
                select(Model.id)
                .where(Model.status == "processing", Model.id.not_in(served))
                .order_by(Model.created_at, Model.id)
            )
            session.add_all([build_job("process", model_id=model_id) for model_id in forgotten])
            session.flush()
            queued = select(Job.id).where(Job.state == "queued").order_by(Job.number)
            return list(session.scalars(queued))

    def claim(self, job_id: str) -> Job | None:
        """Mark a queued job as running; None when it was cancelled or is gone."""
        with self._database.write() as session:
            job = session.scalar(select(Job).where(Job.id == job_id, Job.state == "queued"))
            if job is not None:
                job.state, job.stage, job.started_at = "running", "starting", now()
            return job

    def change(self, job_id: str, **values: Any) -> None:
        with self._database.write() as session:
            session.execute(update(Job).where(Job.id == job_id).values(**values))

    def finish(self, job_id: str, result: dict[str, Any]) -> None:
        self.change(
            job_id,
            state="done",
            stage="done",
            progress=1.0,
            error=None,
            result=result,
            finished_at=now(),
        )

    def fail(self, job_id: str, reason: str) -> None:
        self.change(job_id, state="failed", stage="failed", error=reason, finished_at=now())

    def cancel(self, job_id: str) -> None:
        """Take a queued job back; a model that it would have placed says so.

        Raises
        ------
        NotFound
        Conflict
            When it has begun.
        """
        with self._database.write() as session:
            job = _get_job(session, job_id)
            if job.state != "queued":
                raise Conflict(f"This job is {job.state}; only a queued one can be cancelled.")
            job.state, job.stage = "failed", "cancelled"
            job.error, job.finished_at = CANCELLED, now()
            session.execute(
                update(Model)
                .where(Model.id == job.model_id, Model.status == "processing")
                .values(status="error", error=f"Placing it was given up. {CANCELLED}")
            )


def _get_job(session: Session, job_id: str) -> Job:
    job = session.scalar(select(Job).where(Job.id == job_id))
    if job is None:
        raise NotFound(f"There is no job {job_id!r}.")
    return job
