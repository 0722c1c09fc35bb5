"""What a worker process does with the ids that Redis brings."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from rq import SimpleWorker
from rq.serializers import JSONSerializer

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.jobs.executor import JobExecutor
from model_heritage_backend.jobs.redis_queue import connect, open_queues

logger = logging.getLogger(__name__)

_executors: list[JobExecutor] = []
"""That of this process, which RQ calls by the name of a function."""


class HeritageWorker(SimpleWorker):
    """One job at a time, in this process: what was measured for one job serves the next, and
    nothing is forked after compiled loops have started their threads.

    Told to stop, it stops its job as well, which goes on elsewhere.
    """

    def request_stop(self, signum: int, frame: Any) -> None:
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # (RQ's)
        for executor in _executors:
            executor.announce_stop()


def work_on(url: str, queues: Sequence[str], executor: JobExecutor, *, burst: bool) -> None:
    """Do jobs until told to stop, or (``burst``) until none waits."""
    _executors[:] = [executor]
    connection = connect(url)
    found = open_queues(connection)
    worker = HeritageWorker(
        [found[name] for name in queues], connection=connection, serializer=JSONSerializer
    )
    worker.work(burst=burst, logging_level="WARNING")


def do_job(job_id: str) -> None:
    """One job; how it ends is in its row."""
    try:
        _executors[0].submit(job_id).result()
    except HeritageError as error:
        logger.info("job %s: %s", job_id, error.detail)
