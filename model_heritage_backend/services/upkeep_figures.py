"""Figures of backups and damaged files, read when Prometheus asks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from model_heritage_backend.services.metrics import PREFIX
from model_heritage_backend.services.upkeep import Upkeep


class UpkeepFigures:
    """Reads them. Of a server that makes no backups, only the damaged files are told: who makes
    backups otherwise has alarms of their own for them."""

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep

    def read(self) -> Iterator[Metric]:
        state, plan = self._upkeep.get_state(), self._upkeep.plan
        yield _gauge(
            "damaged_files", "Stored files that are not what they were", len(state["damaged_files"])
        )
        if plan.backup_folder is None:
            return
        yield _gauge("backups", "Whole backups in backup_folder", state["backups"])
        yield _gauge(
            "backup_age_seconds", "Since the newest was made", _measure(state["last_backup_at"])
        )
        yield _gauge(
            "backup_interval_seconds",
            "Time between two backups, as set",
            plan.backup_every.total_seconds(),
        )
        yield _gauge(
            "backup_problem",
            "Whether the last one failed, lacks something or is damaged",
            state["backup_problem"] is not None,
        )
        if plan.scrub_every is None:
            return
        yield _gauge(
            "backup_verified_age_seconds",
            "Since one was read again whole and found without a problem",
            _measure(state["last_verified_at"]),
        )
        yield _gauge(
            "backup_verify_interval_seconds",
            "Time in which one is read again, as set",
            plan.scrub_every.total_seconds(),
        )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _measure(moment: datetime | None) -> float:
    """Seconds since then; infinitely many since never."""
    return math.inf if moment is None else (datetime.now(UTC) - moment).total_seconds()
