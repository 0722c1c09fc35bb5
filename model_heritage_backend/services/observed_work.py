"""Jobs as the log and the metrics see them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from structlog.contextvars import bound_contextvars

from model_heritage_backend.errors import LACK_OF_MEMORY, OutOfMemory
from model_heritage_backend.jobs.run import Interruption, Progress
from model_heritage_backend.models.job_queue import REQUEST_ID
from model_heritage_backend.models.tables import Job
from model_heritage_backend.services.metrics import Metrics

Work = Callable[[Job, Progress], dict[str, Any]]
logger = logging.getLogger("model_heritage.jobs")


def observe_work(work: Work, metrics: Metrics) -> Work:
    """``work`` with a line of the log for its beginning and its end, and counted.

    Whatever is logged meanwhile names the job, its model or family, and the request that asked for
    it.
    """

    def observed(job: Job, progress: Progress) -> dict[str, Any]:
        names = {
            "job_id": job.id,
            "job": job.kind,
            "model_id": job.model_id,
            "family_id": job.family_id,
            "request_id": job.parameters.get(REQUEST_ID),
        }
        with bound_contextvars(**{name: value for name, value in names.items() if value}):
            logger.info("job begins")
            began, outcome = time.perf_counter(), "failed"
            try:
                result = work(job, progress)
                outcome = "done"
            except Interruption as error:
                outcome = error.type
                raise
            except MemoryError as error:
                raise OutOfMemory(LACK_OF_MEMORY) from error
            finally:
                seconds = time.perf_counter() - began
                metrics.count_job(job.kind, outcome, seconds)
                level = logging.INFO if outcome == "done" else logging.WARNING
                logger.log(level, "job %s", outcome, extra={"seconds": round(seconds, 3)})
        return result

    return observed
