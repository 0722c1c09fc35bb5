"""Runs jobs in threads of this process. The jobs table is the truth.

What changes the genealogy has one thread: that is the rule, not a limit that was forgotten, for the
genealogy is solved from a consistent set of models. Work on files only has a thread of its own, so
that a large import keeps nobody's upload waiting for its place. What a crash interrupts runs again
at start.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.jobs.lane import PAUSES, Lane, Outcome, Work
from model_heritage_backend.models.job_queue import JobQueue

LANES = {
    "genealogy": ("process", "reprocess", "rebuild", "recluster"),
    "files": ("import", "cleanup"),
}
TIME_LIMITS: Mapping[str, float] = {
    "process": 3600.0,
    "reprocess": 3600.0,
    "rebuild": 1800.0,
    "recluster": 7200.0,
    "import": 86_400.0,
    "cleanup": 3600.0,
}
"""Seconds that one attempt at a job of a kind may take."""
STOP_SECONDS = 10.0


class JobExecutor:
    """The lanes.

    Parameters
    ----------
    jobs : where jobs are kept
    work : does one job and gives its JSON-ready result
    time_limits : seconds by kind, where they differ from ``TIME_LIMITS``
    pauses : seconds before a job's second, third, ... attempt after a fault of the world

    Raises
    ------
    InvalidRequest
        When a time limit is of a kind that there is not.
    """

    def __init__(
        self,
        jobs: JobQueue,
        work: Work,
        *,
        time_limits: Mapping[str, float] | None = None,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._jobs = jobs
        unknown = sorted(set(time_limits or {}) - TIME_LIMITS.keys())
        if unknown:
            raise InvalidRequest(f"There are no jobs of kind {unknown[0]!r} to limit the time of.")
        limits = {**TIME_LIMITS, **(time_limits or {})}
        self._lanes = {
            name: Lane(name, jobs, work, time_limits=limits, pauses=pauses) for name in LANES
        }
        self._by_kind = {kind: self._lanes[name] for name, kinds in LANES.items() for kind in kinds}

    def start(self) -> None:
        """Begin to work, first on what a former process left unfinished."""
        for name, lane in self._lanes.items():
            for job_id in self._jobs.recover(LANES[name]):
                lane.submit(job_id)
            lane.start()

    @property
    def is_working(self) -> bool:
        """Whether all lanes take jobs."""
        return all(lane.is_working for lane in self._lanes.values())

    def submit(self, job_id: str) -> Outcome:
        """Queue a stored job; its future holds the result, or the error that it failed with."""
        return self._by_kind[self._jobs.get(job_id).kind].submit(job_id)

    def cancel(self, job_id: str) -> None:
        """Stop a running job at its next report of progress; recording it is the caller's."""
        for lane in self._lanes.values():
            lane.cancel(job_id)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The genealogy does not change within the block but by it: for what is done at once,
        outside the queue."""
        with self._lanes["genealogy"].turns.take():
            yield

    def stop(self) -> None:
        """Take no further job. The present ones may end, or stop at their next report of progress;
        what is not finished within ``STOP_SECONDS`` is left for the next start."""
        deadline = time.monotonic() + STOP_SECONDS
        for lane in self._lanes.values():
            lane.announce_stop()
        for lane in self._lanes.values():
            lane.stop(deadline - time.monotonic())
