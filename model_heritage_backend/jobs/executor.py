"""Runs jobs one after another in a thread of this process. The jobs table is the truth.

One thread is the rule, not a limit that was forgotten: every job changes the genealogy, and the
genealogy is solved from a consistent set of models. What a crash interrupts runs again at start.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.models.database import now
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.tables import Job

logger = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
Work = Callable[[Job, Progress], dict[str, Any]]
STOP = ""


class JobExecutor:
    """A queue and a thread.

    Parameters
    ----------
    lake : where jobs are
    work : does one job and gives its JSON-ready result
    """

    def __init__(self, lake: Lake, work: Work) -> None:
        self._lake = lake
        self._work = work
        self._queue: queue.Queue[str] = queue.Queue()
        self._done: dict[str, threading.Event] = {}
        self._errors: dict[str, HeritageError] = {}
        self._lock = threading.Lock()
        self._running = threading.RLock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work, first on what a former process left unfinished."""
        for job_id in self._lake.list_open_jobs():
            self.submit(job_id)

    def submit(self, job_id: str, *, awaited: bool = False) -> None:
        """Queue a job; ``awaited`` when ``wait`` will be called for it."""
        with self._lock:
            if awaited:
                self._done[job_id] = threading.Event()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
                self._thread.start()
        self._queue.put(job_id)

    def wait(self, job_id: str, *, seconds: float) -> bool:
        """Wait for a job submitted as awaited; whether it ended in time.

        Raises
        ------
        HeritageError
            The one that the job failed with.
        """
        with self._lock:
            event = self._done[job_id]
        ended = event.wait(seconds)
        with self._lock:
            self._done.pop(job_id, None)
            error = self._errors.pop(job_id, None)
        if error is not None:
            raise error
        return ended

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No job runs within the block: for changes that are made at once, outside the queue."""
        with self._running:
            yield

    def stop(self) -> None:
        """Let the present job end and take no further one."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            self._queue.put(STOP)
            thread.join()

    def _run(self) -> None:
        while (job_id := self._queue.get()) != STOP:
            try:
                with self._running:
                    self._do(job_id)
            finally:
                with self._lock:
                    event = self._done.get(job_id)
                if event is not None:
                    event.set()

    def _do(self, job_id: str) -> None:
        job = self._lake.get_job(job_id)
        if job.state not in ("queued", "running"):
            return
        self._lake.change_job(job_id, state="running", stage="starting", started_at=now())

        def report(share: float, stage: str) -> None:
            self._lake.change_job(job_id, progress=share, stage=stage)

        try:
            result = self._work(job, report)
        except HeritageError as error:
            with self._lock:
                if job_id in self._done:
                    self._errors[job_id] = error
            self._fail(job_id, error.detail)
        except Exception:
            logger.exception("job %s failed", job_id)
            self._fail(job_id, "Something unexpected went wrong; the server's log has the details.")
        else:
            self._lake.change_job(
                job_id,
                state="done",
                stage="done",
                progress=1.0,
                result=result,
                finished_at=now(),
            )

    def _fail(self, job_id: str, reason: str) -> None:
        self._lake.change_job(
            job_id, state="failed", stage="failed", error=reason, finished_at=now()
        )
