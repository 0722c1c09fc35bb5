"""The lake as a whole: totals, health, metrics."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from model_heritage_backend.routes.access import open_to_all
from model_heritage_backend.routes.schemas.common import Responses, describe_text
from model_heritage_backend.routes.schemas.lake import Health, SystemStats, Totals
from model_heritage_backend.routes.views import get_service, show_family
from model_heritage_backend.version import __version__

blueprint = APIBlueprint("lake", __name__, tag="Lake")
LARGEST = 5
METRICS: Responses = {200: describe_text("In the text format of Prometheus", "text/plain")}


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


@blueprint.get("/health")
@open_to_all
@blueprint.output(Health)
@blueprint.doc(summary="Whether the server and its database answer")
def get_health() -> dict[str, Any]:
    get_service().jobs.listing.list_page(limit=1)
    return {"status": "ok", "version": __version__, "database": "ok"}


@blueprint.get("/metrics")
@blueprint.doc(summary="Totals for Prometheus", responses=METRICS)
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
