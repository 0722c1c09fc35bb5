"""Reclustering, many uploads at once, and the room that models take."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from safetensors.numpy import save_file
from sqlalchemy import create_engine, func, select

from benchmarks.scale.rows import Row, at_least, at_most, measure_peak, time_once
from benchmarks.scale.synthetic import Breeder, fingerprint_arrays
from benchmarks.scale.uploads import Served
from model_heritage_backend.clustering import ModelManagementSystem
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.migrate import upgrade_database
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.models.tables import FingerprintRow
from model_heritage_backend.services.engine import EngineOptions
from model_heritage_backend.services.solving_crew import SolvingCrew, Workplace

CACHE_BYTES = 256 << 20
MINUTES, AT = 300.0, 100_000
MEMORY_MB = 2000.0
CLIENTS, FILES = 8, 64
PROCESSES = 2


def measure_recluster(folder: Path) -> Iterator[Row]:
    """Of the database in a folder: everything solved anew, and then once more.

    In a process of its own, as the most memory that a process had is never forgotten.
    """
    # Not multiprocessing's own pool, whose processes may have no children.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = pool.submit(recluster, folder).result()
    for name, part in found.items():
        what = f"recluster of {part['models']:,} in {part['families']:,}, {name}"
        share = part["models"] / AT
        yield at_most(what, part["seconds"], "s", "5 minutes for 100,000", MINUTES * share)
        yield at_most(f"{what}: memory", part["megabytes"], "MB", "limit", MEMORY_MB)


def recluster(folder: Path) -> dict[str, dict[str, Any]]:
    database = Database(create_engine(f"sqlite:///{folder / 'app.db'}"))
    upgrade_database(database.engine)
    files = FileStore(folder, max_file_bytes=1)
    store = SqlStore(database, files, cache_bytes=CACHE_BYTES)
    system = ModelManagementSystem(store, stamp="bench")
    crew = SolvingCrew(Workplace.find(database, files, EngineOptions()), processes=PROCESSES)
    peaks: dict[int, float] = {}

    def watch(_share: float, _stage: str) -> None:
        for process in multiprocessing.active_children():
            peaks[process.pid or 0] = measure_peak(process.pid)

    found = {}
    for name, round_ in (("all solved", f"r{time.time_ns()}"), ("nothing changed", None)):
        began = time.perf_counter()
        outcome = system.recluster_all_models(watch, round_=round_, helpers=crew)
        found[name] = {
            "seconds": time.perf_counter() - began,
            "models": store.count().models,
            "families": outcome["families"],
            "megabytes": measure_peak() + sum(peaks.values()),
        }
    database.close()
    return found


def measure_concurrent() -> Iterator[Row]:
    """Uploads of small models by eight clients, beside one client's."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        paths = []
        shapes = {f"layers.{layer}.weight": (256, 256) for layer in range(8)}
        for family in range(2 * FILES // 8):
            for born in Breeder(shapes, family).grow(8):
                paths.append(folder / f"{family}-{born.place}.safetensors")
                save_file(born.weights, paths[-1])
        served = Served(folder / "data", stack)
        served.upload(paths.pop())
        one = time_once(lambda: [served.upload(path) for path in paths[:FILES]])
        with ThreadPoolExecutor(CLIENTS) as pool:
            eight = time_once(lambda: list(pool.map(served.upload, paths[FILES:])))
        alone, together = FILES / one, len(paths[FILES:]) / eight
        what = f"uploads a second, {CLIENTS} clients"
        yield at_least(what, together, "/s", "one client", alone, None)


def measure_room(folder: Path) -> Iterator[Row]:
    """Bytes of a fingerprint with 100 tensors as it is stored, and of a lake's models."""
    shapes: dict[str, tuple[int, ...]] = {}
    for block in range(12):
        for name in ("query", "key", "value", "out", "up", "down"):
            shapes[f"blocks.{block}.{name}.weight"] = (768, 768)
        shapes[f"blocks.{block}.norm.weight"] = (768,)
        shapes[f"blocks.{block}.other.weight"] = (768,)
    arrays = next(iter(Breeder(shapes | {"head.weight": (100, 768)}, 1).grow(1))).weights
    print_ = fingerprint_arrays(arrays, "hundred")
    what = f"fingerprint of {len(arrays)} tensors"
    yield at_most(what, len(print_.to_bytes()) / 1e3, "kB", "limit", 500.0)
    database = Database(create_engine(f"sqlite:///{folder / 'app.db'}"))
    with database.read() as session:
        count = session.scalar(select(func.count()).select_from(FingerprintRow)) or 1
    database.close()
    size = (folder / "app.db").stat().st_size / count / 1e3
    yield at_most("database, for each model of the lake", size, "kB", "limit", 500.0, None)
    yield at_least(f"models on SQLite ({folder.name})", float(count), "", "specification", 1000.0)
