"""Runs jobs one after another in a thread of this process. The jobs table is the truth.

One thread is the rule, not a limit that was forgotten: every job changes the genealogy, and the
genealogy is solved from a consistent set of models. What a crash interrupts runs again at start.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.jobs.turns import Turns
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.tables import Job

logger = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
Outcome = Future[dict[str, Any]]
Work = Callable[[Job, Progress], dict[str, Any]]
UNEXPECTED = "Something unexpected went wrong; the server's log has the details."
LATER = "The server is stopping; this is done after its next start."
STOP_SECONDS = 10.0


class Stopped(HeritageError):
    """The server is being stopped; what this was about is done after the next start."""

    type = "stopping"
    title = "The server is stopping"
    status = 503


class JobExecutor:
    """A queue and a thread.

    Parameters
    ----------
    jobs : where jobs are kept
    work : does one job and gives its JSON-ready result
    """

    def __init__(self, jobs: JobQueue, work: Work) -> None:
        self._jobs = jobs
        self._work = work
        self._queue: queue.SimpleQueue[tuple[str, Outcome] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._turns = Turns()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to work, first on what a former process left unfinished."""
        for job_id in self._jobs.recover():
            self.submit(job_id)
        self._thread.start()

    def submit(self, job_id: str) -> Outcome:
        """Queue a stored job; its future holds the result, or the error that it failed with."""
        outcome: Outcome = Future()
        with self._lock:
            if self._stopping.is_set():
                outcome.set_exception(Stopped(LATER))
            else:
                self._queue.put((job_id, outcome))
        return outcome

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No job runs within the block: for what is done at once, outside the queue."""
        with self._turns.take():
            yield

    def stop(self) -> None:
        """Take no further job. The present one may end, or stop at its next report of progress;
        what is not finished within ``STOP_SECONDS`` is left for the next start."""
        with self._lock:
            self._stopping.set()
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            job_id, outcome = item
            if self._stopping.is_set():
                outcome.set_exception(Stopped(LATER))
                continue
            # The thread must outlive any failure: a job whose failure could not even be recorded
            # (a full disk) stays open in its table, and runs again after the next start.
            try:
                with self._turns.take():
                    outcome.set_result(self._do(job_id))
            except HeritageError as error:
                outcome.set_exception(error)
            except Exception:
                logger.exception("job %s failed", job_id)
                outcome.set_exception(HeritageError(UNEXPECTED))

    def _do(self, job_id: str) -> dict[str, Any]:
        job = self._jobs.claim(job_id)
        if job is None:
            return {}

        def report(share: float, stage: str) -> None:
            if self._stopping.is_set():
                raise Stopped(LATER)
            self._jobs.change(job_id, progress=share, stage=stage)

        try:
            result = self._work(job, report)
        except Stopped:
            self._jobs.change(job_id, state="queued", stage="waiting", progress=0.0)
            raise
        except HeritageError as error:
            self._jobs.fail(job_id, error.detail)
            raise
        except Exception:
            self._jobs.fail(job_id, UNEXPECTED)
            raise
        self._jobs.finish(job_id, result)
        return result
