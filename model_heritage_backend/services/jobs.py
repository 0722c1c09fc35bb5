"""What people do about jobs: look, cancel, try again."""

from __future__ import annotations

from model_heritage_backend.jobs.executor import Executor
from model_heritage_backend.models.job_list import JobList
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.tables import Job

EDITORS_KINDS = ("process", "reprocess", "rebuild")
"""Jobs that every editor may ask for, and so cancel and repeat."""


class Jobs:
    """The jobs of one server.

    Parameters
    ----------
    listing : answers questions about them
    queue : keeps them
    executor : runs them
    """

    def __init__(self, listing: JobList, queue: JobQueue, executor: Executor) -> None:
        self.listing = listing
        self._queue = queue
        self._executor = executor

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        return self._queue.get(job_id)

    def estimate_duration(self, kind: str) -> str | None:
        """How long a job of a kind may take, in words, by the last one; None for a first one."""
        seconds = self.listing.find_last_seconds(kind)
        if seconds is None:
            return None
        minutes = round(seconds / 60)
        return "less than a minute" if minutes < 1 else f"about {minutes} minutes"

    def cancel(self, job_id: str) -> bool:
        """See ``JobQueue.cancel``."""
        at_once = self._queue.cancel(job_id)
        if not at_once:
            self._executor.cancel(job_id)
        return at_once

    def retry(self, job_id: str) -> None:
        """See ``JobQueue.retry``."""
        self._queue.retry(job_id)
        self._executor.submit(job_id)
