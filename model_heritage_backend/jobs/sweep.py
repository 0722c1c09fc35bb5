"""Looks for jobs that somebody asked for and nobody does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from model_heritage_backend.models.job_queue import JobQueue

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0


class Sweep:
    """A thread that hands over jobs which wait for long, or whose owner has died.

    Parameters
    ----------
    hand_over : has a job done; to be asked for one twice must do no harm
    seconds : between two looks, and how long a job may wait before it is looked at
    """

    def __init__(
        self, jobs: JobQueue, hand_over: Callable[[str], object], *, seconds: float = SWEEP_SECONDS
    ) -> None:
        self._jobs = jobs
        self._hand_over = hand_over
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_on, name="sweep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(self._seconds)

    def _keep_on(self) -> None:
        while not self._over.wait(self._seconds):
            try:
                for job_id in self._jobs.list_open(seconds=self._seconds):
                    self._hand_over(job_id)
            except Exception:
                # What cannot be reached now is there at the next look, or the one after.
                logger.exception("open jobs could not be looked for")
