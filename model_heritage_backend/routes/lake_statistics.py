"""Distributions over the whole lake."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from model_heritage_backend.routes.schemas.lake_statistics import LakeStatisticsShape
from model_heritage_backend.routes.views import get_service

blueprint = APIBlueprint("lake_statistics", __name__, tag="Lake")


@blueprint.get("/stats/distributions")
@blueprint.output(LakeStatisticsShape)
@blueprint.doc(
    summary="Arrivals, sizes, confidences and storage",
    description="`storage` estimates, with care, what need not be kept beside a model's parent: "
    "`measured` models have evidence of both files. `calibration` was measured on models whose "
    "true parents are known, not on those here.",
)
def describe_lake() -> dict[str, Any]:
    return get_service().statistics.describe()
