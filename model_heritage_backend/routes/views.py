"""From what the rooms below answer to JSON-ready shapes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import current_app

from model_heritage_backend.clustering import Edge, FamilyRecord
from model_heritage_backend.clustering.genealogy import Ghost
from model_heritage_backend.models.job_list import estimate_rest
from model_heritage_backend.models.model_views import ModelView
from model_heritage_backend.models.tables import Job
from model_heritage_backend.services.heritage_service import HeritageService
from model_heritage_backend.services.intake import Upload

EXTENSION = "model_heritage"
Answer = tuple[dict[str, Any], int, dict[str, str]]


def get_service() -> HeritageService:
    """The application's service; see ``create_app``."""
    service: HeritageService = current_app.extensions[EXTENSION]
    return service


def show_time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="milliseconds")[:23] + "Z"


def show_model(view: ModelView) -> dict[str, Any]:
    row = view.row
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "status": row.status,
        "error": row.error,
        "filename": row.filename,
        "format": row.format,
        "file_size": row.file_size,
        "checksum": row.checksum,
        "total_parameters": row.total_parameters,
        "layer_count": row.layer_count,
        "structural_hash": row.structural_hash,
        "dtypes": row.dtypes,
        "quality": row.quality,
        "family_id": row.family_id,
        "family_name": view.family_name,
        "family_size": view.family_size,
        "parent_id": row.parent_id,
        "parent_name": view.parent_name,
        "relation": view.relation,
        "confidence_score": row.confidence_score,
        "is_root": view.is_root,
        "owner": None if row.owner_id is None else {"id": row.owner_id, "name": view.owner_name},
        "created_at": show_time(row.created_at),
        "processed_at": show_time(row.processed_at),
        "file_path": row.file_path,
        "weights_uri": row.weights_uri,
        "declared": asdict(view.declared) | {"source": dict(view.declared.source)},
        "conflicts": [asdict(conflict) for conflict in view.conflicts],
    }


def show_edge(edge: Edge) -> dict[str, Any]:
    return {
        "parent": edge.parent,
        "child": edge.child,
        "main": edge.main,
        "relation": edge.relation.value,
        "coefficient": edge.coefficient,
        "confidence": edge.confidence,
        "distance": edge.distance,
        "resolved": edge.resolved,
        "evidence": edge.evidence.to_dict(),
    }


def show_ghost(ghost: Ghost) -> dict[str, Any]:
    return {
        "id": ghost.id,
        "children": list(ghost.children),
        "confidence": ghost.confidence,
        "parent": ghost.parent,
        "distances": list(ghost.distances),
    }


def show_family(family: dict[str, Any]) -> dict[str, Any]:
    times = {name: show_time(family[name]) for name in ("created_at", "updated_at")}
    return family | times


def show_tree(family: FamilyRecord, members: list[ModelView]) -> dict[str, Any]:
    tree = family.tree
    return {
        "family_id": family.id,
        "method": tree.method,
        "root_id": tree.root,
        "nodes": [show_model(view) for view in members],
        "edges": [show_edge(edge) for edge in tree.edges],
        "ghosts": [show_ghost(ghost) for ghost in tree.ghosts],
    }


def show_job(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "stage": job.stage,
        "progress": job.progress,
        "model_id": job.model_id,
        "family_id": job.family_id,
        "parameters": job.parameters,
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "eta_seconds": estimate_rest(job),
        "error": job.error,
        "result": job.result,
        "created_at": show_time(job.created_at),
        "started_at": show_time(job.started_at),
        "updated_at": show_time(job.updated_at),
        "finished_at": show_time(job.finished_at),
    }


def answer_upload(service: HeritageService, upload: Upload) -> Answer:
    """What the sender of a model is told: its place, or that it waits for one."""
    if upload.placed:
        answer = show_placed(service, upload.model_id) | {"job_id": upload.job_id}
        return answer, 201, {"Location": f"/api/models/{upload.model_id}"}
    return show_waiting(upload), 202, {"Location": f"/api/jobs/{upload.job_id}"}


def show_waiting(upload: Upload) -> dict[str, Any]:
    """A model that is stored and waits for its place."""
    return {
        "model_id": upload.model_id,
        "job_id": upload.job_id,
        "status": "processing",
        "message": "The file is stored safely; its family is being looked for.",
        "signature_preview": {
            "total_parameters": upload.total_parameters,
            "layer_count": upload.layer_count,
            "structural_hash": upload.structural_hash,
        },
    }


def show_placed(service: HeritageService, model_id: str) -> dict[str, Any]:
    view = service.lake.get(model_id)
    row = view.row
    family = service.families.get(row.family_id) if row.family_id else None
    edge = None
    if row.family_id:
        edge = service.store.get_family(row.family_id).tree.main_edges.get(model_id)
    return {
        "model_id": model_id,
        "status": row.status,
        "message": _tell_place(view),
        "model": show_model(view),
        "family": show_family(family) if family else None,
        "family_id": row.family_id,
        "parent_id": row.parent_id,
        "relation": view.relation,
        "parent_confidence": row.confidence_score,
        "edge": show_edge(edge) if edge else None,
    }


def _tell_place(view: ModelView) -> str:
    if view.row.status == "error":
        return f"The file is stored, but could not be placed: {view.row.error}"
    if view.parent_name is not None:
        sure = round(100 * (view.row.confidence_score or 0.0))
        return f"Its parent is {view.parent_name}, {sure} % sure ({view.relation})."
    if view.family_size > 1:
        return f"It is the root of a family of {view.family_size} models."
    if "adapter" in view.row.quality:
        return "It is an adapter, and which model here it was made for cannot be told."
    return "It is not related to any model here yet."
