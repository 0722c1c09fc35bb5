"""What people do about jobs: look, cancel, try again."""

from __future__ import annotations

from model_heritage_backend.jobs.executor import JobExecutor
from model_heritage_backend.models.job_list import JobList
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.tables import Job


class Jobs:
    """The jobs of one server.

    Parameters
    ----------
    listing : answers questions about them
    queue : keeps them
    executor : runs them
    """

    def __init__(self, listing: JobList, queue: JobQueue, executor: JobExecutor) -> None:
        self.listing = listing
        self._queue = queue
        self._executor = executor

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        return self._queue.get(job_id)

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
