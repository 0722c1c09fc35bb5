"""Rows for tests of queries, which look at nothing but rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from model_heritage_backend.models.database import Database
from model_heritage_backend.models.folding import fold
from model_heritage_backend.models.tables import Family, Model, Parentage

START = datetime(2026, 1, 1, tzinfo=UTC)


def make_model(number: int, name: str, **more: object) -> Model:
    checksum = f"{number:064x}"
    plain = {
        "id": f"m_{number:03}",
        "name": name,
        "name_folded": fold(name),
        "description": "",
        "filename": f"{name}.safetensors",
        "format": "safetensors",
        "file_path": f"blobs/{checksum}",
        "weights_uri": f"/api/models/m_{number:03}/download",
        "file_size": 10 * number,
        "checksum": checksum,
        "total_parameters": 100 * number,
        "layer_count": 1,
        "structural_hash": "h",
        "dtypes": {},
        "quality": [],
        "claims": {},
        "status": "ok",
        "created_at": START + timedelta(hours=number),
    }
    return Model(**plain | more)


def add_family(database: Database, family_id: str, *models: Model, edges: str = "") -> None:
    """``edges``: "1-2 1-3" by the models' numbers, parent first; the first model is the root."""
    pairs = [[f"m_{int(end):03}" for end in edge.split("-")] for edge in edges.split()]
    with database.write() as session:
        session.add(
            Family(id=family_id, root_id=models[0].id, root_confidence=0.7, method="heritage")
        )
        session.flush()
        for model in models:
            model.family_id = family_id
        session.add_all(models)
        session.flush()
        for place, (parent, child) in enumerate(pairs):
            confidence = 0.9 - 0.3 * place
            session.add(
                Parentage(
                    child_id=child,
                    parent_id=parent,
                    family_id=family_id,
                    is_main=True,
                    relation="finetune",
                    distance=0.1 * (place + 1),
                    confidence=confidence,
                    evidence={},
                )
            )
            row = session.get_one(Model, child)
            row.parent_id, row.confidence_score, row.relation = parent, confidence, "finetune"
