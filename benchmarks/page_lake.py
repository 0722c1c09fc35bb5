"""A lake of many rows for measuring the pages: nothing but rows, drawn from one seed."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert

from model_heritage_backend.clustering import Relation
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.folding import fold
from model_heritage_backend.models.migrate import upgrade_database
from model_heritage_backend.models.tables import Family, Model, Parentage

START = datetime(2026, 1, 1, tzinfo=UTC)
RELATIONS = tuple(r.value for r in Relation if r not in (Relation.MERGE, Relation.UNRESOLVED))
WORDS = ("atlas", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "iris", "juniper")
EVIDENCE: dict[str, Any] = {
    "delta_rank": None,
    "changed_tensors": 290,
    "shared_tensors": 291,
    "changed": [],
    "flags": [],
    "relative_change": 0.03,
    "signals": {"norm_growth": 0.9},
    "method": "heritage",
    "exact": True,
}


def draw_sizes(total: int, rng: random.Random) -> Iterator[int]:
    """Sizes of families: a few large ones, many small ones, ``total`` models together."""
    left = total
    largest = max(total // 12, 1)
    while left > 0:
        size = min(left, max(1, int(largest * rng.paretovariate(0.7) ** -1)))
        left -= size
        yield size


def fill_lake(path: Path, total: int, *, seed: int = 1) -> None:
    """Make the database ``path`` with ``total`` models in families of all sizes."""
    database = Database(create_engine(f"sqlite:///{path}"))
    upgrade_database(database.engine)
    rng = random.Random(seed)
    models: list[dict[str, Any]] = []
    families: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    for number, size in enumerate(draw_sizes(total, rng)):
        family_id = f"f_{number:016x}"
        word = rng.choice(WORDS)
        rows = [_draw_model(len(models) + place, word, rng) for place in range(size)]
        families.append(
            {
                "id": family_id,
                "root_id": rows[0]["id"],
                "root_confidence": rng.random(),
                "method": "heritage",
            }
        )
        for place, row in enumerate(rows):
            row |= {"family_id": family_id, "parent_id": None}
            row |= {"confidence_score": None, "relation": None}
            if place > 0:
                parent = rows[int(place * rng.random() ** 2)]
                confidence = 1 - 0.6 * rng.random() ** 3
                relation = rng.choice(RELATIONS)
                row |= {"parent_id": parent["id"], "confidence_score": confidence}
                row |= {"relation": relation}
                edges.append(
                    {
                        "child_id": row["id"],
                        "parent_id": parent["id"],
                        "family_id": family_id,
                        "is_main": True,
                        "relation": relation,
                        "distance": rng.random() / 10,
                        "confidence": confidence,
                        "evidence": EVIDENCE,
                    }
                )
        models += rows
    with database.write() as session:
        session.execute(insert(Family), families)
        session.execute(insert(Model), models)
        session.execute(insert(Parentage), edges)
    database.close()


def _draw_model(number: int, word: str, rng: random.Random) -> dict[str, Any]:
    checksum = hashlib.sha256(f"model {number}".encode()).hexdigest()
    name = f"{word}-{rng.choice(WORDS)}-{number}"
    parameters = int(10 ** rng.uniform(5, 10))
    return {
        "id": f"m_{checksum[:16]}",
        "name": name,
        "name_folded": fold(name),
        "description": "",
        "filename": f"{name}.safetensors",
        "format": rng.choice(("safetensors", "safetensors", "safetensors", "gguf", "pytorch")),
        "file_path": f"blobs/{checksum}",
        "weights_uri": f"/api/models/m_{checksum[:16]}/download",
        "file_size": parameters * 2,
        "checksum": checksum,
        "total_parameters": parameters,
        "layer_count": rng.randint(2, 80),
        "structural_hash": checksum[:32],
        "dtypes": {"BF16": parameters},
        "quality": [],
        "claims": {},
        "status": "ok",
        "created_at": START + timedelta(minutes=40 * number),
        "processed_at": START + timedelta(minutes=40 * number + 1),
    }
