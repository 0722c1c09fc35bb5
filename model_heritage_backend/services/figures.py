"""Figures of the lake, its storage and its queue, read when Prometheus asks."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy.exc import SQLAlchemyError

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.queue_figures import read_queue
from model_heritage_backend.services.metrics import PREFIX
from model_heritage_backend.services.readiness import OK, Readiness

logger = logging.getLogger(__name__)

LAKE = {
    "models": ("total_models", "Models"),
    "families": ("total_families", "Families"),
    "edges": ("total_edges", "Edges of all trees"),
    "resolved_edges": ("resolved_edges", "Edges that are not shown as unresolved"),
    "parameters": ("total_parameters", "Parameters of all models"),
    "bytes": ("total_bytes", "Bytes of all stored files"),
    "models_processing": ("processing", "Models that wait for their place"),
    "models_errors": ("errors", "Models that could not be placed"),
}
"""Gauge -> member of ``Lake.count``, and what it is."""


class Figures:
    """Reads them."""

    def __init__(self, database: Database, files: FileStore, readiness: Readiness) -> None:
        self._database = database
        self._files = files
        self._readiness = readiness
        self._lake = Lake(database)

    def read(self) -> Iterator[Metric]:
        """What cannot be read is left out, and logged: the rest tells that something is wrong."""
        ready = GaugeMetricFamily(
            f"{PREFIX}ready", "Whether what the server depends on is well", labels=["check"]
        )
        for name, answer in self._readiness.ask().items():
            ready.add_metric([name], answer == OK)
        yield ready
        try:
            yield from [*self._read_disk()]
            yield from [*self._read_database()]
        except (OSError, SQLAlchemyError, HeritageError):
            logger.warning("some figures cannot be read", exc_info=True)

    def _read_database(self) -> Iterator[Metric]:
        totals = self._lake.count()
        for name, (member, text) in LAKE.items():
            yield _gauge(name, text, totals[member])
        queue = read_queue(self._database)
        jobs = GaugeMetricFamily(f"{PREFIX}jobs", "Jobs on record, by state", labels=["state"])
        for state, count in queue.states.items():
            jobs.add_metric([state], count)
        yield jobs
        yield _gauge(
            "queue_oldest_seconds", "How long the oldest waiting job waits", queue.oldest_seconds
        )

    def _read_disk(self) -> Iterator[Metric]:
        disk = shutil.disk_usage(self._files.data_dir)
        yield _gauge("disk_free_bytes", "Free where the data folder lies", disk.free)
        yield _gauge("disk_size_bytes", "Size of that disk", disk.total)
        yield _gauge(
            "staging_bytes",
            "Files that are being received, and what is left of others",
            _measure(self._files.staging),
        )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _measure(folder: Path) -> int:
    """Bytes of the files in a folder; some may go while they are counted."""
    total = 0
    for path in folder.iterdir():
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total
