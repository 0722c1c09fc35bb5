"""Fills a database with tens of thousands of synthetic models, placed as the truth says.

``python -m benchmarks.scale.lake FOLDER --models 100000`` takes some minutes on two cores. Families
are grown by worker processes; one writes. The trees are the true ones, so a lake is there without
any having been solved; ``recluster`` solves them.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert, text

from benchmarks.scale.synthetic import Breeder, Shapes, draw_shapes, fingerprint_arrays
from model_heritage_backend.clustering.routes import encode_route, list_matrices
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.fingerprints.fingerprint import VERSION
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.fingerprints import list_shape_keys
from model_heritage_backend.models.folding import fold
from model_heritage_backend.models.migrate import upgrade_database
from model_heritage_backend.models.tables import (
    Family,
    FingerprintRow,
    MatrixShape,
    Model,
    Parentage,
    RouteRow,
    Structure,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("atlas", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "iris", "juniper")
SIZE = 50
"""Members of a family."""
STRUCTURES = 200
Rows = dict[type, list[dict[str, Any]]]


def fill_lake(
    path: Path,
    models: int,
    *,
    structures: Sequence[Shapes] | None = None,
    size: int = SIZE,
    seed: int = 1,
    placed: bool = True,
) -> None:
    """Add so many models to the database ``path``, which is made where it is missing.

    Parameters
    ----------
    structures : of the families, in turns; drawn where none are given
    size : of each family
    placed : whether families and trees are stored, too
    """
    rng = random.Random(seed)
    shapes = structures or [draw_shapes(rng) for _ in range(STRUCTURES)]
    database = Database(create_engine(f"sqlite:///{path}"))
    upgrade_database(database.engine)
    tasks = [
        (seed * 1_000_000 + number, shapes[number % len(shapes)], size, placed)
        for number in range(max(models // size, 1))
    ]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        known: set[str] = set()
        for done, rows in enumerate(pool.map(grow_family, tasks, chunksize=4), 1):
            new = {row["hash"]: row for row in rows[Structure] if row["hash"] not in known}
            known |= new.keys()
            with database.write() as session:
                # The last of several lakes in one database may share a structure with the first.
                present = {row.hash for row in session.query(Structure.hash)}
                rows[Structure] = [row for key, row in new.items() if key not in present]
                for table, values in rows.items():
                    if values:
                        session.execute(insert(table), values)
            if done % 100 == 0:
                print(f"{done} of {len(tasks)} families", file=sys.stderr, flush=True)
    with database.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    database.close()


def grow_family(task: tuple[int, Shapes, int, bool]) -> Rows:
    """All rows of one family."""
    number, shapes, size, placed = task
    rng = random.Random(number)
    family_id = f"f_{number:016x}"
    word = rng.choice(WORDS)
    rows: Rows = {
        table: []
        for table in (Family, Structure, Model, FingerprintRow, RouteRow, MatrixShape, Parentage)
    }
    ids: list[str] = []
    for born in Breeder(shapes, number).grow(size):
        print_ = fingerprint_arrays(born.weights, f"{number}/{born.place}")
        ids.append(f"m_{print_.checksum[:16]}")
        row = _build_model(print_, f"{word}-{rng.choice(WORDS)}-{number}-{born.place}", number)
        confidence = 1 - 0.6 * rng.random() ** 3
        for place, end in enumerate(born.parents if placed else ()):
            rows[Parentage].append(
                {
                    "child_id": ids[-1],
                    "parent_id": ids[end],
                    "family_id": family_id,
                    "is_main": place == 0,
                    "relation": _name_relation(born.relation),
                    "distance": rng.random() / 10,
                    "confidence": confidence,
                    "evidence": {"method": "heritage", "exact": False},
                }
            )
        if placed:
            row["family_id"] = family_id
            if born.parents:
                row["parent_id"], row["confidence_score"] = ids[born.parents[0]], confidence
                row["relation"] = _name_relation(born.relation)
        rows[Model].append({"parent_id": None, "confidence_score": None, "relation": None} | row)
        for table, value in _list_fingerprint_rows(ids[-1], print_):
            rows[table].append(value)
    if placed:
        rows[Family].append(
            {"id": family_id, "root_id": ids[0], "root_confidence": 0.9, "method": "heritage"}
        )
    return rows


def _list_fingerprint_rows(
    model_id: str, print_: Fingerprint
) -> Iterator[tuple[type, dict[str, Any]]]:
    structure = print_.structural_hash
    matrices = [[name, list(shape)] for name, shape in list_matrices(print_)]
    yield Structure, {"hash": structure, "matrices": matrices}
    yield (
        FingerprintRow,
        {
            "model_id": model_id,
            "version": VERSION,
            "level": print_.level,
            "admitted": True,
            "data": print_.to_bytes(),
        },
    )
    route = encode_route(print_).tobytes()
    yield RouteRow, {"model_id": model_id, "structure": structure, "route": route}
    for key in list_shape_keys(print_, of_adapters=False):
        yield MatrixShape, {"shape": key, "model_id": model_id}


def _name_relation(relation: str) -> str:
    return "finetune" if relation == "new_head" else relation


def _build_model(print_: Fingerprint, name: str, number: int) -> dict[str, Any]:
    model_id = f"m_{print_.checksum[:16]}"
    when = START + timedelta(minutes=number % 500_000)
    return {
        "id": model_id,
        "name": name,
        "name_folded": fold(name),
        "description": "",
        "filename": f"{name}.safetensors",
        "format": "safetensors",
        "file_path": f"blobs/{print_.checksum}",
        "weights_uri": f"/api/models/{model_id}/download",
        "file_size": 4 * print_.total_parameters,
        "checksum": print_.checksum,
        "total_parameters": print_.total_parameters,
        "layer_count": print_.layer_count,
        "structural_hash": print_.structural_hash,
        "dtypes": {"F32": print_.total_parameters},
        "quality": [],
        "claims": {},
        "family_id": None,
        "status": "ok",
        "created_at": when,
        "processed_at": when,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.lake", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, default=100_000)
    parser.add_argument("--structures", type=int, default=STRUCTURES)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    rng = random.Random(7)
    shapes = [draw_shapes(rng) for _ in range(options.structures)]
    fill_lake(options.folder / "app.db", options.models, structures=shapes)
    print(f"{options.models:,} models in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
