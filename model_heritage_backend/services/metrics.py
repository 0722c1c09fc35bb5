"""What a server counts and measures, for Prometheus.

Every application has a registry of its own. What can be read from the database or the disk is read
when somebody asks; everything else is counted as it happens, which costs microseconds.

Of several processes that serve together each counts into a file of one folder, which
``COUNTERS_FOLDER`` of the environment names before prometheus_client is loaded. Whichever is asked
tells the sums; what a process counted that has died is still among them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from model_heritage_backend.errors import TooManyAttempts
from model_heritage_backend.models.tables import JOB_KINDS
from model_heritage_backend.places import COUNTERS_FOLDER
from model_heritage_backend.version import __version__

PREFIX = "model_heritage_"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
"""Upper bounds in seconds: of requests, and of stages of an upload."""
LONG = (0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)
"""Upper bounds in seconds: of jobs and of solving families."""
PARAMETERS = tuple(10.0**power for power in range(3, 13))
MEGABYTES = (0.1, 1.0, 10.0, 100.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 50_000.0)
MB = 1e6


class Metrics:
    """The registry and its counters."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        Info(f"{PREFIX[:-1]}", "The program", registry=self.registry).info({"version": __version__})
        folder = os.environ.get(COUNTERS_FOLDER)
        # What is told is not what this process counts: that is in the files, too.
        self._counting = self.registry if folder is None else CollectorRegistry()
        if folder is None:
            ProcessCollector(registry=self.registry)
        else:
            # Of its library, this alone has no types.
            MultiProcessCollector(self.registry, folder)  # type: ignore[no-untyped-call]
            self.registry.register(_Processes(Path(folder)))
        # The specification's names, one observation for each file that was taken in.
        self._stages = {
            stage: self._histogram(f"{stage}_seconds", text, QUICK)
            for stage, text in (
                ("file_conversion", "Opening an uploaded file, whatever its format, as tensors"),
                ("signature_extraction", "Reading all values of an uploaded file"),
                ("structural_analysis", "Describing an uploaded file's tensors"),
            )
        }
        self._parameters = self._histogram(
            "total_parameters_extracted", "Parameters of the models that came in", PARAMETERS
        )
        self._megabytes = self._histogram(
            "file_size_mb", "Sizes of the files that came in, in MB (10^6 bytes)", MEGABYTES
        )
        self._solving = {
            stage: self._histogram(f"{stage}_seconds", text, LONG)
            for stage, text in (
                ("clustering", "Finding the family of a model, or all families"),
                ("lineage", "Solving the tree of one family"),
            )
        }
        self._uploads = self._counter("uploads", "Files that came to be taken in", "outcome")
        self._jobs = self._counter("jobs_ended", "Attempts at jobs that ended", "kind", "outcome")
        self._job_seconds = self._histogram("job_seconds", "Attempts at jobs", LONG, "kind")
        self._errors = self._counter(
            "errors", "Answers that were a problem, by its type", "type", "status"
        )
        self._requests = self._counter("http_requests", "Answers", "method", "route", "status")
        self._request_seconds = self._histogram(
            "http_request_seconds",
            "From a request's head to its answer's",
            QUICK,
            "method",
            "route",
        )
        self._lines = self._counter("log_lines", "Lines of the log that are no mere news", "level")
        self._slow = self._counter("slow_requests", "Requests logged as slow")

        # What alarms look at begins at 0: what first appears at 1 has not grown, to Prometheus.
        for outcome in ("stored", "refused"):
            self._uploads.labels(outcome)
        for kind in JOB_KINDS:
            for outcome in ("done", "failed"):
                self._jobs.labels(kind, outcome)
        for level in ("warning", "error", "critical"):
            self._lines.labels(level)
        self._errors.labels(TooManyAttempts.type, str(TooManyAttempts.status))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, text, labels, registry=self._counting)

    def _histogram(
        self, name: str, text: str, bounds: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(PREFIX + name, text, labels, buckets=bounds, registry=self._counting)

    # What happens ------------------------------------------------------------------------------

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """One stage of taking a file in; one that fails is not measured."""
        began = time.perf_counter()
        yield
        self._stages[stage].observe(time.perf_counter() - began)

    @contextmanager
    def count_upload(self) -> Iterator[None]:
        """A file comes to be taken in; it is when the block ends well."""
        outcome = "refused"
        try:
            yield
            outcome = "stored"
        finally:
            self._uploads.labels(outcome).inc()

    def count_model(self, *, parameters: int, size: int) -> None:
        """A model was stored; ``size`` in bytes."""
        self._parameters.observe(parameters)
        self._megabytes.observe(size / MB)

    def watch(self, stage: str, seconds: float) -> None:
        """A stage of the engine; see ``clustering.watching``."""
        self._solving[stage].observe(seconds)

    def count_job(self, kind: str, outcome: str, seconds: float) -> None:
        self._jobs.labels(kind, outcome).inc()
        self._job_seconds.labels(kind).observe(seconds)

    def count_request(
        self,
        *,
        method: str,
        route: str,
        status: int,
        seconds: float,
        slow: bool,
        problem: str | None,
    ) -> None:
        """An answer; ``route`` is a template, ``problem`` the type of an error."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(method, route).observe(seconds)
        if slow:
            self._slow.inc()
        if problem is not None:
            self._errors.labels(problem, str(status)).inc()

    def count_line(self, level: str) -> None:
        """A line of the log, of level WARNING or more."""
        self._lines.labels(level.lower()).inc()

    # What is told ------------------------------------------------------------------------------

    def add_figures(self, read: Callable[[], Iterable[Metric]]) -> None:
        """Figures that are read whenever somebody asks."""
        self.registry.register(_Figures(read))

    def render(self) -> bytes:
        """Everything, in the text format."""
        return generate_latest(self.registry)


class _Figures(Collector):
    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Nothing: else registering would read them."""
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._read()


class _Processes(Collector):
    """Memory, processor time and open files of every process that counts into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        merged: dict[str, Metric] = {}
        for file in sorted(self._folder.glob("counter_*.db")):
            pid = file.stem.removeprefix("counter_")
            # Of one that has died there is nothing.
            for metric in ProcessCollector(pid=pid.__str__, registry=None).collect():
                whole = merged.setdefault(
                    metric.name, Metric(metric.name, metric.documentation, metric.type)
                )
                for sample in metric.samples:
                    whole.add_sample(sample.name, {"pid": pid}, sample.value)
        return merged.values()
