"""An executor whose jobs go over a real Redis to an RQ worker.

That is a thread of the test's process, so that a test can say what is to be done.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import Any

from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from model_heritage_backend.jobs import redis_worker
from model_heritage_backend.jobs.executor import JobExecutor, merge_time_limits
from model_heritage_backend.jobs.outcome import Outcome
from model_heritage_backend.jobs.redis_queue import RedisExecutor, connect, open_queues
from model_heritage_backend.models.job_queue import JobQueue

PAUSE = 0.01


class _ThreadWorker(redis_worker.HeritageWorker):
    """Signals are for the main thread."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        pass

    def subscribe(self) -> None:
        """Commands come by a thread that takes a second to end."""

    def unsubscribe(self) -> None:
        pass


class OverRedis:
    """Both ends, with the interface of an executor."""

    def __init__(
        self, jobs: JobQueue, work: Any, url: str, *, time_limits: Any = None, **options: Any
    ) -> None:
        self._url = url
        self._doing = JobExecutor(
            jobs, work, shared=True, is_fed=True, time_limits=time_limits, **options
        )
        self._sending = RedisExecutor(
            jobs,
            url,
            guard=nullcontext,
            time_limits=merge_time_limits(time_limits),
            sweep_seconds=0.1,
        )
        self._ending = threading.Event()
        # One: then they are done in their order, as in a thread.
        self._thread = threading.Thread(target=self._serve)

    def start(self) -> None:
        redis_worker._executors[:] = [self._doing]
        self._doing.start()
        self._sending.start()
        self._thread.start()

    def submit(self, job_id: str) -> Outcome:
        return self._sending.submit(job_id)

    def cancel(self, job_id: str) -> None:
        self._sending.cancel(job_id)

    def stop(self) -> None:
        self._sending.stop()
        self._ending.set()
        self._doing.stop()
        self._thread.join()

    def _serve(self) -> None:
        """Waiting for ever is what a thread cannot be woken from."""
        with connect(self._url) as connection:
            while not self._ending.wait(PAUSE):
                queues = list(open_queues(connection).values())
                worker = _ThreadWorker(queues, connection=connection, serializer=JSONSerializer)
                worker.work(burst=True, logging_level="WARNING")
