"""Two servers and two workers on one PostgreSQL, under 32 uploads at once of one growing family.

``python -m benchmarks.scale_out`` grows a family of random steps, gives it to one server with
SQLite, one model after the other, and then all at once, in another order, to two servers whose jobs
two workers do. Both genealogies must be the same, to the last digit. It prints the seconds, and
writes benchmarks/results/scale-out.json. PostgreSQL and Redis come from the packages that the tests
use.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from tests.databases import make_database, start_postgres
from tests.processes import RealServer, RealWorker
from tests.redis_server import RedisServer

RESULTS = Path(__file__).parent / "results"
MODELS = 32
SIZES = ((256, 192), (192, 192), (192, 768), (768, 192), (64, 192), (192, 128))
STEP = 0.02
MEASURES = ("relation", "main", "confidence", "coefficient", "distance")
Edges = dict[tuple[str, str], tuple[Any, ...]]


def grow(folder: Path, *, seed: int) -> dict[str, Path]:
    """Files of a family by name: each but the first is a step away from an earlier one."""
    rng = np.random.default_rng(seed)
    grown = [{f"layer{i}": _draw(rng, size) for i, size in enumerate(SIZES)}]
    while len(grown) < MODELS:
        parent = grown[int(rng.integers(len(grown)))]
        grown.append(
            {name: w + np.float32(STEP) * _draw(rng, w.shape) for name, w in parent.items()}
        )
    paths = {}
    for number, weights in enumerate(grown):
        name = f"model-{number:02}"
        paths[name] = folder / f"{name}.safetensors"
        save_file(weights, paths[name])
    return paths


def _draw(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return (rng.standard_normal(size) / np.sqrt(size[-1])).astype(np.float32)


def list_edges(server: RealServer) -> Edges:
    """(parent's name, child's name) -> what is said of the edge."""
    names = {model["id"]: name for name, model in server.list_models().items()}
    edges: Edges = {}
    for family in server.ask("GET", "/api/families")[1]["families"]:
        for edge in server.ask("GET", f"/api/families/{family['id']}/tree")[1]["edges"]:
            found = tuple(edge[name] for name in MEASURES)
            edges[names[edge["parent"]], names[edge["child"]]] = found
    return edges


def run_one(paths: dict[str, Path], folder: Path) -> tuple[float, Edges]:
    with RealServer(folder) as server:
        started = time.perf_counter()
        for name, path in paths.items():
            status, answer = server.put(path, name)
            if status != 201:
                raise RuntimeError(f"{name}: {answer}")
        return time.perf_counter() - started, list_edges(server)


def run_many(
    paths: dict[str, Path], folder: Path, redis_url: str, seed: int
) -> tuple[float, Edges]:
    variables = {"DATABASE_URL": make_database(folder), "REDIS_URL": redis_url}
    order = list(paths)
    random.Random(seed).shuffle(order)
    with (
        RealServer(folder, **variables) as first,
        RealServer(folder, **variables) as second,
        RealWorker(folder, **variables),
        RealWorker(folder, **variables),
        ThreadPoolExecutor(MODELS) as pool,
    ):
        servers = (first, second)
        started = time.perf_counter()
        sent = [
            # Stored at once, placed by the workers: the way of programs that send many.
            pool.submit(servers[number % 2].put, paths[name], name, Prefer="respond-async")
            for number, name in enumerate(order)
        ]
        for future in sent:
            status, answer = future.result()
            if status != 202:
                raise RuntimeError(str(answer))
        while second.ask("GET", "/api/stats")[1]["processing"]:
            time.sleep(0.1)
        return time.perf_counter() - started, list_edges(second)


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with (
        tempfile.TemporaryDirectory() as name,
        tempfile.TemporaryDirectory(prefix="heritage-redis-") as redis_folder,
        RedisServer(Path(redis_folder)) as redis,
    ):
        start_postgres()
        folder = Path(name)
        (folder / "files").mkdir()
        paths = grow(folder / "files", seed=seed)
        alone, expected = run_one(paths, folder / "one")
        many, found = run_many(paths, folder / "many", redis.url, seed)
    result = {
        "models": MODELS,
        "edges": len(expected),
        "one_server_seconds": round(alone, 1),
        "two_servers_two_workers_seconds": round(many, 1),
        "same": found == expected,
        "load": os.getloadavg()[0],
        "processors": os.cpu_count(),
    }
    print(json.dumps(result, indent=1))
    (RESULTS / "scale-out.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if result["same"] else 1


if __name__ == "__main__":
    sys.exit(main())
