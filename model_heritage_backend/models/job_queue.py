"""The jobs table: what is to be done, in the order it was asked for, and what became of it.

A running job belongs to whoever claimed it, by a token and for as long as its lease is renewed.
Whatever the owner writes names the token: one that lost its job changes nothing any more.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session
from structlog.contextvars import get_contextvars

from model_heritage_backend.errors import Conflict, NotFound
from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.tables import JOB_KINDS, FingerprintRow, Job, Model

ENDED_STATES = ("done", "failed", "cancelled")
PLACING_KINDS = ("process", "reprocess")
LEASE_SECONDS = 60.0
REQUEST_ID = "request_id"
NOT_BEGUN = "It was cancelled before it began."
CANCELLED = "It was cancelled."
CANCELLING = "cancelling"


class Order(Enum):
    """What the owner of a running job shall do."""

    GO_ON = "go on"
    CANCEL = "cancel"
    LET_GO = "let go"


def build_job(
    kind: str,
    *,
    model_id: str | None = None,
    family_id: str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Job:
    """A queued job that is not stored yet."""
    job_id = f"j_{uuid.uuid4().hex[:16]}"
    return Job(
        id=job_id,
        kind=kind,
        model_id=model_id,
        family_id=family_id,
        parameters=dict(parameters or {}) | find_asker(),
    )


def find_asker() -> dict[str, str]:
    """The request that asks for a job, for the log of whoever does it."""
    request_id = get_contextvars().get(REQUEST_ID)
    return {} if request_id is None else {REQUEST_ID: request_id}


class JobQueue:
    """The life of jobs; running them is the executor's work, listing them ``JobList``'s."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Asking for work ---------------------------------------------------------------------------

    def add(
        self,
        kind: str,
        *,
        model_id: str | None = None,
        family_id: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> str:
        job = build_job(kind, model_id=model_id, family_id=family_id, parameters=parameters)
        with self._database.write() as session:
            session.add(job)
        return job.id

    def add_once(self, kind: str, parameters: Mapping[str, Any] | None = None) -> tuple[str, bool]:
        """(id, whether it is new): one that still waits, asked for with the same parameters, does
        the work of any number."""
        waiting = select(Job).where(Job.kind == kind, Job.state == "queued")
        with self._database.write() as session:
            for known in session.scalars(waiting.order_by(Job.number)):
                asked = {k: v for k, v in known.parameters.items() if k != REQUEST_ID}
                if asked == dict(parameters or {}):
                    return known.id, False
            job = build_job(kind, parameters=parameters)
            session.add(job)
        return job.id, True

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        with self._database.read() as session:
            return _get_job(session, job_id)

    def retry(self, job_id: str) -> None:
        """Queue a job again that failed or was cancelled, with all its attempts; a model that it
        left unplaced waits again.

        Raises
        ------
        NotFound
        Conflict
            When it is not over, or done.
        """
        with self._database.write() as session:
            job = _get_job(session, job_id)
            if job.state not in ("failed", "cancelled"):
                raise Conflict(f"This job is {job.state}; only one that is over and not done can.")
            _queue(job, stage="waiting")
            job.attempts, job.cancel_asked = 0, False
            job.error = job.started_at = job.finished_at = None
            if job.kind in PLACING_KINDS:
                session.execute(
                    update(Model)
                    .where(Model.id == job.model_id, Model.status == "error")
                    .values(status="processing", error=None)
                )

    def cancel(self, job_id: str) -> bool:
        """Take a queued job back, or ask a running one to stop; True when it is cancelled already.

        A model that it would have placed says so.

        Raises
        ------
        NotFound
        Conflict
            When it is over.
        """
        with self._database.write() as session:
            job = _get_job(session, job_id)
            if job.state in ENDED_STATES:
                raise Conflict(f"This job is {job.state}: there is nothing to cancel.")
            if job.state == "queued":
                _end(session, job, "cancelled", NOT_BEGUN)
                return True
            job.cancel_asked, job.stage, job.updated_at = True, CANCELLING, now()
            return False

    def list_waiting_models(self, limit: int) -> list[str]:
        """Ids of the models that wait for their place, those that came first."""
        waiting = select(Job.model_id).where(
            Job.kind == "process", Job.state == "queued", Job.model_id.is_not(None)
        )
        # Only such as are still there: a model may be deleted while it waits.
        query = waiting.join(Model, Model.id == Job.model_id).order_by(Job.number).limit(limit)
        with self._database.read() as session:
            return [str(model_id) for model_id in session.scalars(query)]

    # Doing it ----------------------------------------------------------------------------------

    def recover(self, kinds: Collection[str] = JOB_KINDS, *, alone: bool = True) -> list[str]:
        """What a former process left open, queued again; ids in the order they were asked for.

        For the only process that works on these kinds (``alone``), every running job is taken for
        interrupted, whatever its lease says; else those whose lease is over. One that was
        interrupted at its last attempt has failed. A model that is marked as being processed gets
        a job, should it have none.
        """
        with self._database.write() as session:
            running = select(Job).where(Job.state == "running", Job.kind.in_(kinds))
            if not alone:
                # A row that somebody is claiming is not left over.
                running = running.where(Job.lease_until < now())
                running = running.with_for_update(skip_locked=True)
            for job in session.scalars(running.order_by(Job.number)):
                if job.cancel_asked:
                    _end(session, job, "cancelled", CANCELLED)
                elif job.attempts >= job.max_attempts:
                    _end(session, job, "failed", _tell_interruptions(job.attempts))
                else:
                    _queue(job, stage="waiting, after the server ended while this ran")
            if "process" in kinds:
                session.flush()
                session.add_all(_build_forgotten(session))
            session.flush()
            queued = select(Job.id).where(Job.state == "queued", Job.kind.in_(kinds))
            return list(session.scalars(queued.order_by(Job.number)))

    def list_open(self, *, seconds: float) -> list[str]:
        """Ids of jobs that nobody has begun for so long, or whose owner's lease is over."""
        waiting = and_(Job.state == "queued", Job.updated_at <= now() - timedelta(seconds=seconds))
        query = select(Job.id).where(or_(waiting, _is_abandoned())).order_by(Job.number)
        with self._database.read() as session:
            return list(session.scalars(query))

    def claim(self, job_id: str, *, lease_seconds: float = LEASE_SECONDS) -> Job | None:
        """Mark a job as running, by a new owner. None when it does not wait any more.

        What runs elsewhere can only be claimed once its lease is over.
        """
        query = select(Job).where(Job.id == job_id, or_(Job.state == "queued", _is_abandoned()))
        with self._database.write(serial=False) as session:
            job = session.scalar(query.with_for_update())
            if job is None:
                return None
            if job.state == "running" and job.attempts >= job.max_attempts:
                _end(session, job, "failed", _tell_interruptions(job.attempts))
                return None
            job.state, job.stage, job.progress = "running", "starting", 0.0
            job.worker, job.attempts = uuid.uuid4().hex, job.attempts + 1
            job.error = None
            job.started_at = job.updated_at = now()
            job.lease_until = job.started_at + timedelta(seconds=lease_seconds)
            return job

    def beat(
        self,
        job_id: str,
        *,
        worker: str | None,
        progress: tuple[float, str] | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> Order:
        """Renew the lease of a claimed job; ``progress`` (share in [0, 1], stage) is shown."""
        with self._database.write(serial=False) as session:
            row = session.scalar(select(Job).where(_owned(job_id, worker)).with_for_update())
            if row is None:
                return Order.LET_GO
            row.lease_until = now() + timedelta(seconds=lease_seconds)
            if row.cancel_asked:
                return Order.CANCEL
            if progress is not None and progress != (row.progress, row.stage):
                (row.progress, row.stage), row.updated_at = progress, now()
            return Order.GO_ON

    def try_again(self, job_id: str, *, worker: str | None, attempts: int) -> None:
        """Note that a claimed job begins anew, for the so manieth time."""
        self._change(
            job_id,
            worker,
            attempts=attempts,
            progress=0.0,
            stage="starting",
            updated_at=now(),
        )

    def give_back(self, job_id: str, *, worker: str | None) -> None:
        """Queue a claimed job again as if it had never begun."""
        with self._database.write() as session:
            row = session.scalar(select(Job).where(_owned(job_id, worker)))
            if row is not None:
                _queue(row, stage="waiting")
                row.attempts -= 1

    def finish(self, job_id: str, result: Mapping[str, Any], *, worker: str | None = None) -> bool:
        """Record what a job came to that was claimed, or (no ``worker``) done without a claim.

        Returns
        -------
        Whether it still belonged to the caller.
        """
        return self._change(
            job_id,
            worker,
            state="done",
            stage="done",
            progress=1.0,
            error=None,
            result=dict(result),
            worker=None,
            lease_until=None,
            finished_at=now(),
            updated_at=now(),
        )

    def fail(
        self, job_id: str, reason: str, *, worker: str | None = None, state: str = "failed"
    ) -> None:
        """Record why a job is over; the model that it was to place says so, too."""
        with self._database.write() as session:
            row = session.scalar(select(Job).where(_owned(job_id, worker)))
            if row is not None:
                _end(session, row, state, reason)

    def _change(self, job_id: str, owner: str | None, **values: Any) -> bool:
        with self._database.write() as session:
            hit = update(Job).where(_owned(job_id, owner)).values(**values).returning(Job.id)
            return session.scalar(hit) is not None


def _is_abandoned() -> ColumnElement[bool]:
    return and_(Job.state == "running", Job.lease_until < now())


def _owned(job_id: str, worker: str | None) -> ColumnElement[bool]:
    """Not over, and still the caller's by its token (none: not claimed by anybody)."""
    return and_(Job.id == job_id, Job.worker == worker, Job.state.not_in(ENDED_STATES))


def _queue(job: Job, *, stage: str) -> None:
    job.state, job.stage, job.progress = "queued", stage, 0.0
    job.worker = job.lease_until = None
    job.updated_at = now()


def _end(session: Session, job: Job, state: str, reason: str) -> None:
    """Without result; a model that has no place then says why, and is withdrawn from the engine:
    others go on without it."""
    job.state = job.stage = state
    job.error, job.worker, job.lease_until = reason, None, None
    job.finished_at = job.updated_at = now()
    if job.kind not in PLACING_KINDS:
        return
    hit = Model.id == job.model_id
    if state == "cancelled":
        # Placing a model again that has a place, and giving that up, leaves it where it is.
        hit = and_(hit, Model.status == "processing")
        reason = f"Placing it was given up. {reason}"
    changed = session.scalars(
        update(Model)
        .where(hit)
        .values(status="error", error=reason, processed_at=now())
        .returning(Model.id)
    )
    for model_id in list(changed):
        session.execute(
            update(FingerprintRow).where(FingerprintRow.model_id == model_id).values(admitted=False)
        )


def _build_forgotten(session: Session) -> list[Job]:
    """Jobs for models that wait for one and have none."""
    served = select(Job.model_id).where(
        Job.state.in_(("queued", "running")),
        Job.kind.in_(PLACING_KINDS),
        Job.model_id.is_not(None),
    )
    forgotten = session.scalars(
        select(Model.id)
        .where(Model.status == "processing", Model.id.not_in(served))
        .order_by(Model.created_at, Model.id)
    )
    return [build_job("process", model_id=model_id) for model_id in forgotten]


def _tell_interruptions(count: int) -> str:
    return (
        f"The server ended {count} times while it was at this, so it was given up. It can be "
        "tried again."
    )


def _get_job(session: Session, job_id: str) -> Job:
    job = session.scalar(select(Job).where(Job.id == job_id))
    if job is None:
        raise NotFound(f"There is no job {job_id!r}.")
    return job
