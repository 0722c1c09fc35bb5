"""The lake as a whole: totals."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from model_heritage_backend.routes.schemas.lake import SystemStats, Totals
from model_heritage_backend.routes.views import get_service, show_family

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
