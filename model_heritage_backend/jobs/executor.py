"""Runs jobs in threads of this process. The jobs table is the truth.

What changes the genealogy has one thread: that is the rule, not a limit that was forgotten, for the
genealogy is solved from a consistent set of models. Work on files only has a thread of its own, so
that a large import keeps nobody's upload waiting for its place. What a crash interrupts runs again
at start.

Where several processes share a database, each has such threads, and turns at the genealogy are
taken there as well (models/genealogy_turns.py). What one of them leaves behind, another one finds.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.jobs.lane import PAUSES, Lane, Work
from model_heritage_backend.jobs.outcome import Outcome, StoredOutcome
from model_heritage_backend.jobs.sweep import Sweep
from model_heritage_backend.models.job_queue import JobQueue

LANES = {
    "genealogy": ("process", "reprocess", "rebuild", "recluster", "delete"),
    "files": ("import", "cleanup"),
}
TIME_LIMITS: Mapping[str, float] = {
    "process": 3600.0,
    "reprocess": 3600.0,
    "rebuild": 1800.0,
    "recluster": 7200.0,
    "delete": 7200.0,
    "import": 86_400.0,
    "cleanup": 3600.0,
}
"""Seconds that one attempt at a job of a kind may take."""
STOP_SECONDS = 10.0
LISTEN_SECONDS = 1.0
"""How soon a job hears that somebody cancelled it at another process."""
Guard = Callable[[], AbstractContextManager[None]]


class Executor(Protocol):
    """Whoever has jobs done."""

    def start(self) -> None: ...

    def submit(self, job_id: str) -> Outcome:
        """Have a stored job done; what it comes to can be waited for."""

    def cancel(self, job_id: str) -> None:
        """Stop a running job soon; recording it is the caller's."""

    def paused(self) -> AbstractContextManager[None]:
        """The genealogy does not change within the block but by it."""

    def stop(self) -> None: ...


def merge_time_limits(changes: Mapping[str, float] | None) -> dict[str, float]:
    """Seconds for every kind.

    Raises
    ------
    InvalidRequest
        When a time limit is of a kind that there is not.
    """
    unknown = sorted(set(changes or {}) - TIME_LIMITS.keys())
    if unknown:
        raise InvalidRequest(f"There are no jobs of kind {unknown[0]!r} to limit the time of.")
    return {**TIME_LIMITS, **(changes or {})}


class JobExecutor:
    """The lanes.

    Parameters
    ----------
    jobs : where jobs are kept
    work : does one job and gives its JSON-ready result
    time_limits : seconds by kind, where they differ from ``TIME_LIMITS``
    pauses : seconds before a job's second, third, ... attempt after a fault of the world
    shared : whether other processes work on the same jobs
    is_fed : whether jobs come from a queue elsewhere, and not from the table
    guard : held while the genealogy is paused

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
        shared: bool = False,
        is_fed: bool = False,
        guard: Guard = nullcontext,
    ) -> None:
        self._jobs = jobs
        self._shared = shared
        self._is_fed = is_fed
        self._guard = guard
        limits = merge_time_limits(time_limits)
        listen_seconds = LISTEN_SECONDS if shared else math.inf
        self._lanes = {
            name: Lane(
                name, jobs, work, time_limits=limits, pauses=pauses, listen_seconds=listen_seconds
            )
            for name in LANES
        }
        self._sweep = Sweep(jobs, self._take_up) if shared and not is_fed else None
        self._taken: set[str] = set()
        self._stopping = threading.Event()
        self._by_kind = {kind: self._lanes[name] for name, kinds in LANES.items() for kind in kinds}

    def start(self) -> None:
        """Begin to work, first on what a former process left unfinished."""
        for name, lane in self._lanes.items():
            if not self._is_fed:
                for job_id in self._jobs.recover(LANES[name], alone=not self._shared):
                    lane.submit(job_id)
            lane.start()
        if self._sweep is not None:
            self._sweep.start()

    def submit(self, job_id: str) -> Outcome:
        """Queue a stored job; its future holds the result, or the error that it failed with."""
        outcome = self._by_kind[self._jobs.get(job_id).kind].submit(job_id)
        if not self._shared or self._is_fed:
            return outcome
        self._taken.add(job_id)
        outcome.add_done_callback(lambda _: self._taken.discard(job_id))
        # Another process may have been faster.
        return StoredOutcome(self._jobs, job_id, stopping=self._stopping)

    def _take_up(self, job_id: str) -> None:
        """A job that somebody else left behind, or does not come to."""
        if job_id not in self._taken:
            self.submit(job_id)

    def cancel(self, job_id: str) -> None:
        """Stop a running job at its next report of progress; recording it is the caller's."""
        for lane in self._lanes.values():
            lane.cancel(job_id)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The genealogy does not change within the block but by it: for what is done at once,
        outside the queue."""
        with self._lanes["genealogy"].turns.take(), self._guard():
            yield

    def announce_stop(self) -> None:
        """Take no further job; the present ones stop at their next report of progress."""
        for lane in self._lanes.values():
            lane.announce_stop()

    def stop(self) -> None:
        """Take no further job. The present ones may end, or stop at their next report of progress;
        what is not finished within ``STOP_SECONDS`` is left for the next start."""
        self._stopping.set()
        if self._sweep is not None:
            self._sweep.stop()
        deadline = time.monotonic() + STOP_SECONDS
        self.announce_stop()
        for lane in self._lanes.values():
            lane.stop(deadline - time.monotonic())
