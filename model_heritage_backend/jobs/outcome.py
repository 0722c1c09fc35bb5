"""What a job comes to, for whoever waits for it."""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.jobs.run import LATER, Stopped
from model_heritage_backend.models.job_queue import ENDED_STATES, JobQueue

FIRST_SECONDS = 0.02
LAST_SECONDS = 0.5


class Outcome(Protocol):
    """As a future of the standard library."""

    def result(self, timeout: float | None = None) -> dict[str, Any]:
        """Raises TimeoutError when it takes longer, and what the job failed with."""

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """None when it was done; raises TimeoutError when it takes longer."""


class StoredOutcome:
    """Of a job that any process may do: what its row says, looked up less and less often.

    Parameters
    ----------
    stopping : set when this process ends, and nobody can wait any longer
    """

    def __init__(self, jobs: JobQueue, job_id: str, *, stopping: threading.Event) -> None:
        self._jobs = jobs
        self._job_id = job_id
        self._stopping = stopping

    def result(self, timeout: float | None = None) -> dict[str, Any]:
        error = self.exception(timeout)
        if error is not None:
            raise error
        return self._jobs.get(self._job_id).result or {}

    def exception(self, timeout: float | None = None) -> BaseException | None:
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = FIRST_SECONDS
        while True:
            job = self._jobs.get(self._job_id)
            if job.state in ENDED_STATES:
                return None if job.state == "done" else HeritageError(job.error or job.state)
            if deadline is not None and time.monotonic() + pause > deadline:
                raise TimeoutError
            if self._stopping.wait(pause):
                return Stopped(LATER)
            pause = min(1.5 * pause, LAST_SECONDS)
