"""The lake as a whole: totals, jobs, exports, health, metrics."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from model_heritage_backend import __version__
from model_heritage_backend.interop.export import export_lineage
from model_heritage_backend.routes.schemas import (
    ExportQuery,
    Health,
    JobList,
    JobListQuery,
    JobShape,
    SystemStats,
    Totals,
)
from model_heritage_backend.routes.views import get_service, show_family, show_job

blueprint = APIBlueprint("lake", __name__, tag="Lake")
LARGEST = 5


@blueprint.get("/stats")
@blueprint.output(Totals)
@blueprint.doc(summary="Totals of the lake")
def get_totals() -> dict[str, Any]:
    service = get_service()
    largest = [show_family(family) for family in service.families.list_largest(LARGEST)]
    return {**service.lake.count(), "largest_families": largest}


@blueprint.get("/system/stats")
@blueprint.output(SystemStats)
@blueprint.doc(summary="Totals in the specification's words")
def get_system_stats() -> dict[str, Any]:
    totals = get_service().lake.count()
    return {
        "system_stats": {
            "total_families": totals["total_families"],
            "total_models": totals["total_models"],
            "total_lineage_edges": totals["total_edges"],
            "avg_family_cohesion": totals["mean_distance"],
        }
    }


@blueprint.get("/jobs")
@blueprint.input(JobListQuery, location="query")
@blueprint.output(JobList)
@blueprint.doc(summary="Jobs, newest first")
def list_jobs(query_data: dict[str, Any]) -> dict[str, Any]:
    jobs, total = get_service().job_queue.list_newest(**query_data)
    return {"jobs": [show_job(job) for job in jobs], "total": total}


@blueprint.get("/jobs/<job_id>")
@blueprint.output(JobShape)
@blueprint.doc(summary="One job", responses=[404])
def get_job(job_id: str) -> dict[str, Any]:
    return show_job(get_service().job_queue.get(job_id))


@blueprint.delete("/jobs/<job_id>")
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="Cancel a queued job", responses=[404, 409])
def cancel_job(job_id: str) -> tuple[str, int]:
    get_service().job_queue.cancel(job_id)
    return "", 204


@blueprint.get("/lineage/export")
@blueprint.input(ExportQuery, location="query")
@blueprint.doc(summary="The genealogy as a file: json, graphml or dot", responses=[404])
def export(query_data: dict[str, Any]) -> Response:
    service = get_service()
    content, media_type = export_lineage(
        service.store, format=query_data["format"], family_id=query_data["family"]
    )
    name = f"heritage.{query_data['format']}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=media_type, headers=headers)


@blueprint.get("/health")
@blueprint.output(Health)
@blueprint.doc(summary="Whether the server and its database answer")
def get_health() -> dict[str, Any]:
    get_service().job_queue.list_newest(limit=1)
    return {"status": "ok", "version": __version__, "database": "ok"}


@blueprint.get("/metrics")
@blueprint.doc(summary="Totals for Prometheus")
def get_metrics() -> Response:
    totals = get_service().lake.count()
    lines = []
    for name in ("models", "families", "edges", "parameters", "bytes"):
        lines += [f"# TYPE model_heritage_{name} gauge"]
        lines += [f"model_heritage_{name} {totals[f'total_{name}']}"]
    for name in ("processing", "errors"):
        lines += [f"# TYPE model_heritage_models_{name} gauge"]
        lines += [f"model_heritage_models_{name} {totals[name]}"]
    return Response("\n".join(lines) + "\n", mimetype="text/plain; version=0.0.4")
