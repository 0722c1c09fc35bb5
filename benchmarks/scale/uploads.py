"""What a lake's size adds to an upload, to searching and to lists.

``python -m benchmarks.scale.uploads SMALL LARGE`` uploads the children of one family of 100 MB
models to a server with a small and one with a large lake, in turns, and asks both for pages. The
folders are changed: the family stays in them, and is removed first when it is there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from flask.testing import FlaskClient
from safetensors.numpy import save_file

from benchmarks.scale.rows import Row, at_most, describe_run, format_report
from model_heritage_backend.app import close_app, create_app
from model_heritage_backend.config import Settings

LAYERS, ROWS, COLUMNS = 12, 1024, 2048
"""100 MB of float32."""
KNOWN, NEW = 4, 5
"""Members that are there before, and those whose uploads are timed."""
ASKED = 40
PAGES = {
    "search": "/api/models?search=ember",
    "search, nothing found": "/api/models?search=zzz",
    "list": "/api/models",
    "leaves": "/api/models?relation=leaf",
    "families": "/api/families",
    "facets": "/api/models/facets",
    "statistics": "/api/stats",
    "clustering statistics": "/api/clustering/statistics",
}


def write_family(folder: Path, *, layers: int = LAYERS) -> list[Path]:
    """A chain of models of 100 MB each, one after another."""
    rng = np.random.default_rng(5)
    weights = {
        f"layers.{layer}.weight": rng.standard_normal((ROWS, COLUMNS), np.float32)
        for layer in range(layers)
    }
    paths = []
    for number in range(KNOWN + NEW):
        path = folder / f"big-{number}.safetensors"
        save_file(weights, path)
        paths.append(path)
        for name, values in weights.items():
            step = rng.standard_normal(values.shape, np.float32)
            weights[name] = values + np.float32(0.01) * step
    return paths


class Served:
    """A server in this process."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._app = create_app(Settings(data_dir=folder))
        stack.callback(close_app, self._app)
        self.client: FlaskClient = self._app.test_client()

    def upload(self, path: Path) -> dict[str, Any]:
        with path.open("rb") as file:
            answer = self.client.put(f"/api/models?filename={path.name}", input_stream=file)
        body: dict[str, Any] = answer.get_json()
        if answer.status_code != 201:
            raise RuntimeError(f"{path.name}: {answer.status_code} {body}")
        return body

    def clear(self) -> None:
        """Remove the family of a former run."""
        found = self.client.get("/api/models?search=big-&limit=50").get_json()["models"]
        for model in found:
            self.client.delete(f"/api/models/{model['id']}")

    def get(self, url: str) -> None:
        answer = self.client.get(url)
        if answer.status_code != 200:
            raise RuntimeError(f"{url}: {answer.status_code}")


def time_it(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(small: Path, large: Path) -> dict[str, Any]:
    """Seconds of uploads and milliseconds of pages, of both."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        paths = write_family(folder)
        servers = {"small": Served(small, stack), "large": Served(large, stack)}
        for server in servers.values():
            server.clear()
            for path in paths[:KNOWN]:
                server.upload(path)
        uploads: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
        for number, path in enumerate(paths[KNOWN:]):
            # In turns, so that neither always finds the file in the machine's memory first.
            for name in sorted(servers, reverse=bool(number % 2)):
                uploads[name].append(time_it(partial(servers[name].upload, path)))
        return {
            "uploads": uploads,
            "pages": {name: measure_pages(server) for name, server in servers.items()},
        }


def measure_pages(server: Served) -> dict[str, tuple[float, float]]:
    """95th percentile of each page, in milliseconds: (on the clock, of the processor)."""
    families = server.client.get("/api/families?limit=100").get_json()["families"]
    fifty = next((f["id"] for f in families if f["size"] == 50), families[0]["id"])
    pages = PAGES | {"tree of 50": f"/api/families/{fifty}/tree"}
    return {name: measure_page(server, url) for name, url in pages.items()}


def measure_page(server: Served, url: str) -> tuple[float, float]:
    server.get(url)
    times = [time_it(lambda: server.get(url)) for _ in range(ASKED)]
    first, second = (1000 * rank(sorted(found), 0.95) for found in zip(*times, strict=True))
    return first, second


def rank(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def list_rows(found: dict[str, Any], name: str) -> Iterator[Row]:
    """Of what ``measure`` gave; ``name`` of the large lake."""
    walls = {lake: median(wall for wall, _ in times) for lake, times in found["uploads"].items()}
    what = f"upload of a 100 MB child into {name}"
    yield at_most(what, walls["large"], "s", "into 100", walls["small"], 1 / 1.3)
    asked = {"search": 50.0, "search, nothing found": 50.0, "tree of 50": 50.0}
    for page, (wall, _) in found["pages"]["large"].items():
        small = found["pages"]["small"][page][0]
        if page in asked:
            yield at_most(f"{page}, {name}, p95", wall, "ms", "limit", asked[page])
        else:
            yield at_most(f"{page}, {name}, p95", wall, "ms", "of 100", small, None)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.uploads", description=__doc__)
    parser.add_argument("small", type=Path)
    parser.add_argument("large", type=Path)
    options = parser.parse_args(arguments)
    found = measure(options.small, options.large)
    print(format_report(list(list_rows(found, str(options.large))), describe_run()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
