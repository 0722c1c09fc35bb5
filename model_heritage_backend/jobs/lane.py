"""A thread that does jobs one after another."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.jobs.run import (
    LATER,
    Cancelled,
    LetGo,
    Progress,
    Pulse,
    Run,
    Stopped,
)
from model_heritage_backend.jobs.turns import Turns
from model_heritage_backend.models.job_queue import CANCELLED, JobQueue
from model_heritage_backend.models.tables import Job

logger = logging.getLogger(__name__)

Pending = Future[dict[str, Any]]
Work = Callable[[Job, Progress], dict[str, Any]]
UNEXPECTED = "Something unexpected went wrong; the server's log has the details."
PAUSES = (1.0, 10.0)
"""Seconds before the second and the third attempt, when the world was at fault."""


class Lane:
    """A queue and a thread.

    Parameters
    ----------
    jobs : where jobs are kept
    work : does one job and gives its JSON-ready result
    time_limits : kind -> seconds
    pauses : seconds before a second, third, ... attempt
    listen_seconds : see ``Pulse``
    """

    def __init__(
        self,
        name: str,
        jobs: JobQueue,
        work: Work,
        *,
        time_limits: Mapping[str, float],
        pauses: tuple[float, ...] = PAUSES,
        listen_seconds: float = math.inf,
    ) -> None:
        self.turns = Turns()
        self._listen_seconds = listen_seconds
        self._jobs = jobs
        self._work = work
        self._time_limits = time_limits
        self._pauses = pauses
        self._queue: queue.SimpleQueue[tuple[str, Pending] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._stopping = False
        self._run: Run | None = None
        self._thread = threading.Thread(target=self._keep_on, name=f"jobs: {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, job_id: str) -> Pending:
        outcome: Pending = Future()
        with self._lock:
            if self._stopping:
                outcome.set_exception(Stopped(LATER))
            else:
                self._queue.put((job_id, outcome))
        return outcome

    def cancel(self, job_id: str) -> None:
        """Stop the present job at its next report, if it is this one."""
        with self._lock:
            if self._run is not None and self._run.job.id == job_id:
                self._run.interrupt(Cancelled(CANCELLED))

    def announce_stop(self) -> None:
        """Take no further job; the present one stops at its next report of progress, or ends."""
        with self._lock:
            self._stopping = True
            if self._run is not None:
                self._run.interrupt(Stopped(LATER))
        self._queue.put(None)

    def stop(self, seconds: float) -> None:
        """Wait for the present job; one that is not over in time is left for the next start."""
        if self._thread.is_alive():
            self._thread.join(max(seconds, 0.0))
        run = self._run
        if run is not None and self._thread.is_alive():
            self._jobs.give_back(run.job.id, worker=run.job.worker)

    def _keep_on(self) -> None:
        while (item := self._queue.get()) is not None:
            job_id, outcome = item
            if self._stopping:
                outcome.set_exception(Stopped(LATER))
                continue
            # The thread must outlive any failure: a job whose failure could not even be recorded
            # (a full disk) stays open in its table, and runs again after the next start.
            try:
                outcome.set_result(self._do(job_id))
            except HeritageError as error:
                outcome.set_exception(error)
            except Exception:
                logger.exception("job %s failed", job_id)
                outcome.set_exception(HeritageError(UNEXPECTED))
            finally:
                self._watch(None)

    def _do(self, job_id: str) -> dict[str, Any]:
        """All attempts at one job. Others may have their turn between them."""
        run: Run | None = None
        while True:
            with self.turns.take():
                if run is None:
                    job = self._claim(job_id)
                    if job is None:
                        return {}
                    run = Run(job, seconds=self._time_limits[job.kind])
                    self._watch(run)
                result = self._try(run)
            if result is not None:
                return result
            pause = self._pauses[min(run.attempts - run.job.attempts, len(self._pauses) - 1)]
            run.rest(pause)
            run.attempts += 1

    def _claim(self, job_id: str) -> Job | None:
        """Claim a job, which a database that is busy or full must not make forgotten. Whoever
        waits for the turn meanwhile would find the same database."""
        for pause in self._pauses:
            try:
                return self._jobs.claim(job_id)
            except HeritageError as error:
                if not error.transient:
                    raise
                logger.warning("job %s waits: %s", job_id, error.detail)
            time.sleep(pause)
        return self._jobs.claim(job_id)

    def _watch(self, run: Run | None) -> None:
        with self._lock:
            self._run = run
            if run is not None and self._stopping:
                run.interrupt(Stopped(LATER))

    def _try(self, run: Run) -> dict[str, Any] | None:
        """One attempt; None when the world was at fault and another one may do better."""
        job = run.job
        try:
            with Pulse(self._jobs, run, listen_seconds=self._listen_seconds):
                if run.attempts > job.attempts:
                    run.report(0.0, "starting")
                    self._jobs.try_again(job.id, worker=job.worker, attempts=run.attempts)
                result = self._work(job, run.report)
            self._jobs.finish(job.id, result, worker=job.worker)
        except Stopped:
            self._jobs.give_back(job.id, worker=job.worker)
            raise
        except Cancelled as error:
            self._jobs.fail(job.id, error.detail, worker=job.worker, state="cancelled")
            raise
        except LetGo:
            raise
        except HeritageError as error:
            if error.transient and run.attempts < job.max_attempts:
                logger.warning("job %s is tried again: %s", job.id, error.detail)
                return None
            self._jobs.fail(job.id, error.detail, worker=job.worker)
            raise
        except Exception:
            self._jobs.fail(job.id, UNEXPECTED, worker=job.worker)
            raise
        return result
