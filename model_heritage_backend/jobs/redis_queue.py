"""Jobs that workers of their own do: Redis carries their ids to them, and nothing else.

The jobs table stays the truth. Whether Redis is away, was emptied, or a worker dies: the row of a
job that nobody does stays open, and is sent again at the next look. A job that is sent twice is
claimed once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from model_heritage_backend.jobs.executor import Guard
from model_heritage_backend.jobs.outcome import Outcome, StoredOutcome
from model_heritage_backend.jobs.sweep import SWEEP_SECONDS, Sweep
from model_heritage_backend.models.job_queue import JobQueue

if TYPE_CHECKING:
    from redis import Redis
    from rq import Queue

logger = logging.getLogger(__name__)

QUEUES = {
    "default": ("process", "reprocess"),
    "lineage": ("rebuild",),
    "maintenance": ("recluster", "import", "cleanup"),
}
"""What a worker looks at first stands first."""
WORK = "model_heritage_backend.jobs.redis_worker.do_job"
GRACE_SECONDS = 300
"""Beyond all attempts of a job, after which the worker, too, gives it up."""
KEPT_SECONDS = 60
"""How long Redis remembers a job that failed: its row tells why."""
CONNECT_SECONDS = 5.0


class RedisExecutor:
    """Sends jobs to workers.

    Parameters
    ----------
    jobs : where jobs are kept
    url : of the Redis server
    guard : held while the genealogy is paused
    time_limits : seconds of one attempt at a job, by kind
    sweep_seconds : how often jobs are looked for that were sent and lost
    """

    def __init__(
        self,
        jobs: JobQueue,
        url: str,
        *,
        guard: Guard,
        time_limits: Mapping[str, float],
        sweep_seconds: float = SWEEP_SECONDS,
    ) -> None:
        self._time_limits = time_limits
        self._jobs = jobs
        self._guard = guard
        self._queues = open_queues(connect(url))
        self._by_kind = {kind: self._queues[name] for name in QUEUES for kind in QUEUES[name]}
        self._sweep = Sweep(jobs, self._send_again, seconds=sweep_seconds)
        self._stopping = threading.Event()

    def start(self) -> None:
        self._sweep.start()

    def submit(self, job_id: str) -> Outcome:
        from redis.exceptions import RedisError

        try:
            self._send(job_id)
        except RedisError as error:
            # It is in its table, and will be sent when Redis is back.
            logger.warning("job %s could not be sent to the workers: %s", job_id, error)
        return StoredOutcome(self._jobs, job_id, stopping=self._stopping)

    def cancel(self, job_id: str) -> None:
        """Its worker asks the jobs table every second or so."""

    def paused(self) -> AbstractContextManager[None]:
        return self._guard()

    def stop(self) -> None:
        self._stopping.set()
        self._sweep.stop()

    def _send(self, job_id: str) -> None:
        job = self._jobs.get(job_id)
        seconds = self._time_limits[job.kind] * job.max_attempts + GRACE_SECONDS
        self._by_kind[job.kind].enqueue_call(
            WORK,
            args=(job_id,),
            timeout=int(seconds),
            result_ttl=0,
            failure_ttl=KEPT_SECONDS,
            # Under its own id, so that it can be asked whether it waits here already.
            job_id=job_id,
        )

    def _send_again(self, job_id: str) -> None:
        job = self._jobs.get(job_id)
        if job_id not in self._by_kind[job.kind].get_job_ids():
            self._send(job_id)


def connect(url: str) -> Redis:
    from redis import Redis

    return Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS)


def open_queues(connection: Redis) -> dict[str, Queue]:
    """All queues by name. Nothing is pickled on the way: who could write to Redis could else run
    what they like here."""
    from rq import Queue
    from rq.serializers import JSONSerializer

    return {name: Queue(name, connection=connection, serializer=JSONSerializer) for name in QUEUES}
