"""Cleaning up, as one job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from model_heritage_backend.jobs.executor import Executor
from model_heritage_backend.jobs.run import Progress
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.leftovers import CLEANUP, Leftovers
from model_heritage_backend.models.tables import Job

Step = Callable[[], dict[str, Any]]
LISTED = 1000


class Maintenance:
    """The steps of a clean-up, in their order.

    Parameters
    ----------
    leftovers : what is cleaned up
    keep_jobs_days : how long records of jobs stay
    """

    def __init__(
        self,
        leftovers: Leftovers,
        queue: JobQueue,
        executor: Executor,
        *,
        keep_jobs_days: float,
    ) -> None:
        self._leftovers = leftovers
        self._queue = queue
        self._executor = executor
        self._keep_jobs_days = keep_jobs_days
        self._steps: list[tuple[str, Step]] = [
            ("removing unfinished uploads", self._remove_uploads),
            ("looking for files without a model", self._remove_orphans),
            ("removing old records", self._remove_records),
        ]

    def add_step(self, stage: str, step: Step) -> None:
        """Another use case cleans up, too: ``step`` says what it freed, for the job's result."""
        self._steps.append((stage, step))

    def start(self) -> str:
        """Clean up in the background; gives the job's id. One that still waits serves all."""
        job_id, new = self._queue.add_once(CLEANUP)
        if new:
            self._executor.submit(job_id)
        return job_id

    def start_if_due(self, every: timedelta) -> bool:
        """Clean up when that was not done for so long, also when the last time seems to lie in the
        future, as the clock was set back since; whether it is."""
        wait = self._leftovers.measure_wait()
        if wait is None or timedelta(0) <= wait < every:
            return False
        self.start()
        return True

    def work(self, _job: Job, progress: Progress) -> dict[str, Any]:
        """All steps, and the database last: it gives free what they left."""
        result: dict[str, Any] = {"status": "success"}
        steps = [*self._steps, ("tidying up the database", self._compact)]
        for number, (stage, step) in enumerate(steps):
            progress(number / len(steps), stage)
            result |= step()
        return result

    def _remove_uploads(self) -> dict[str, Any]:
        freed = self._leftovers.remove_dead_uploads()
        return {"staged_files": freed.count, "staged_bytes": freed.bytes}

    def _remove_orphans(self) -> dict[str, Any]:
        freed, doubtful = self._leftovers.remove_orphans()
        return {
            "orphan_files": freed.count,
            "orphan_bytes": freed.bytes,
            "unknown_files": len(doubtful),
            "unknown": doubtful[:LISTED],
        }

    def _remove_records(self) -> dict[str, Any]:
        return {
            "jobs": self._leftovers.remove_old_jobs(days=self._keep_jobs_days),
            "evidence": self._leftovers.remove_stray_evidence(),
        }

    def _compact(self) -> dict[str, Any]:
        return {"database_bytes": self._leftovers.compact()}
