from __future__ import annotations

from collections import Counter

from model_heritage_backend.jobs.executor import LANES, TIME_LIMITS
from model_heritage_backend.jobs.redis_queue import QUEUES
from model_heritage_backend.models.tables import JOB_KINDS


def test_every_kind_of_job_has_one_queue_one_lane_and_a_limit() -> None:
    once = Counter(JOB_KINDS)
    assert Counter(kind for kinds in QUEUES.values() for kind in kinds) == once
    assert Counter(kind for kinds in LANES.values() for kind in kinds) == once
    assert Counter(list(TIME_LIMITS)) == once
