"""One job while it runs: what it reports, what it is told, and the thread that keeps its lease."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.models.job_queue import CANCELLED, LEASE_SECONDS, JobQueue, Order
from model_heritage_backend.models.tables import Job

logger = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
LATER = "The server is stopping; this is done after its next start."
LOST = "Somebody else has taken this job over."
BEAT_SECONDS = 0.2
"""How old the progress that people see may be."""
STAGE_LENGTH = 200


class Interruption(HeritageError):
    """A job must stop; raised where it reports its progress. Work must let it through."""


class Stopped(Interruption):
    """The server is being stopped; what this was about is done after the next start."""

    type = "stopping"
    title = "The server is stopping"
    status = 503


class Cancelled(Interruption):
    """Somebody does not want it any more."""

    type = "cancelled"
    title = "This was cancelled"
    status = 409


class OutOfTime(Interruption):
    """It took longer than its kind may."""

    type = "out-of-time"
    title = "This took too long"
    status = 503


class LetGo(Interruption):
    """Its lease ran out and another worker has it: nothing may be recorded any more."""

    type = "taken-over"
    title = "This was taken over"
    status = 503


class Run:
    """A claimed job.

    Parameters
    ----------
    job : as it was claimed
    seconds : how long each attempt may take
    """

    def __init__(self, job: Job, *, seconds: float) -> None:
        self.job = job
        self.attempts = job.attempts
        self.shown: tuple[float, str] | None = None
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._told = threading.Event()
        self._interruption: Interruption | None = None

    def report(self, share: float, stage: str) -> None:
        """Tell how far the job is.

        Raises
        ------
        Interruption
            When it must stop.
        """
        if self._interruption is not None:
            raise self._interruption
        if self.is_late:
            raise OutOfTime(
                f"It took longer than the {self._seconds:,.0f} seconds that a job of this kind has."
            )
        self.shown = min(max(share, 0.0), 1.0), stage[:STAGE_LENGTH]

    @property
    def is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def interrupt(self, reason: Interruption) -> None:
        """Make the next report raise; the first reason counts."""
        if self._interruption is None:
            self._interruption = reason
            self._told.set()

    def rest(self, seconds: float) -> None:
        """Wait before the next attempt, unless the job is told to stop."""
        self._told.wait(seconds)
        self._deadline = time.monotonic() + self._seconds


class Pulse:
    """Within its block, a thread writes a run's progress down and keeps its lease.

    The job itself never waits for the database to report. Past its time, a job's lease is not
    renewed any more: should it hang where it reports nothing, another worker may take it over.

    Parameters
    ----------
    listen_seconds : how often it asks at least whether the job shall stop, where another process
        may have said so
    """

    def __init__(
        self,
        jobs: JobQueue,
        run: Run,
        *,
        lease_seconds: float = LEASE_SECONDS,
        listen_seconds: float = math.inf,
    ) -> None:
        self._jobs = jobs
        self._run = run
        self._lease = lease_seconds
        self._interval = min(lease_seconds / 3, listen_seconds)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_on, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _keep_on(self) -> None:
        written, renewed = None, time.monotonic()
        while not self._over.wait(BEAT_SECONDS):
            shown = self._run.shown
            due = time.monotonic() - renewed > self._interval and not self._run.is_late
            if shown == written and not due:
                continue
            try:
                order = self._jobs.beat(
                    self._run.job.id,
                    worker=self._run.job.worker,
                    progress=shown,
                    lease_seconds=self._lease,
                )
            except Exception:
                # A database that is busy or full now may be well in time for the next beat.
                logger.exception("the progress of job %s could not be kept", self._run.job.id)
                continue
            written, renewed = shown, time.monotonic()
            if order is Order.CANCEL:
                self._run.interrupt(Cancelled(CANCELLED))
            elif order is Order.LET_GO:
                self._run.interrupt(LetGo(LOST))
