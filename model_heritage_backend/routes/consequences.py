"""What follows from a model for those that came from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from model_heritage_backend.interop.spreadsheet import write_rows
from model_heritage_backend.licences import NOTICE
from model_heritage_backend.routes.schemas.consequences import (
    Descendants,
    ImpactQuery,
    ImpactShape,
    LicenceShape,
)
from model_heritage_backend.routes.views import get_service
from model_heritage_backend.services.consequences import Impact, Reached

JSON, CSV = "application/json", "text/csv"
COLUMNS = ("group", "id", "name", "probability", "relation", "path", "reason")
FORMULA = (
    "The probability is the product of the edges' confidences along the way. A merge is reached by "
    "any of its parents: P = P(d) (1 - prod(1 - q P(p) / P(d))) over its parents p by edges of "
    "confidence q, with d the last model that all ways to it go through."
)

blueprint = APIBlueprint("consequences", __name__, tag="Consequences")


@blueprint.get("/models/<model_id>/descendants")
@blueprint.output(Descendants)
@blueprint.doc(
    summary="What came from a model, the most probable first",
    description=FORMULA,
    responses=[404],
)
def list_descendants(model_id: str) -> dict[str, Any]:
    service = get_service().consequences
    found, names = service.list_descendants(model_id)
    return {"model_id": model_id, "descendants": [_show(one, names) for one in found]}


@blueprint.get("/models/<model_id>/impact")
@blueprint.input(ImpactQuery, location="query")
@blueprint.output(ImpactShape)
@blueprint.doc(
    summary="A recall report: should this model be flawed, what is reached?",
    description=f"As CSV with `format=csv` or `Accept: text/csv`. {FORMULA} Models of equal "
    "weights are reached together, whichever came first.",
    responses=[404],
)
def measure_impact(model_id: str, query_data: dict[str, Any]) -> dict[str, Any] | Response:
    impact, names = get_service().consequences.measure_impact(model_id)
    wanted = query_data["format"]
    best = request.accept_mimetypes.best_match((JSON, CSV), default=JSON)
    if wanted == "csv" or (wanted is None and best == CSV):
        headers = {"Content-Disposition": 'attachment; filename="impact.csv"', "Vary": "Accept"}
        table = write_rows(COLUMNS, _list_rows(impact, names))
        return Response(table, mimetype=CSV, headers=headers)
    return {
        "model_id": impact.model_id,
        "name": impact.name,
        "family_id": impact.family_id,
        "summary": impact.summary,
        "sure": [_show(one, names) for one in impact.sure],
        "likely": [_show(one, names) for one in impact.likely],
        "possible": [_show(one, names) for one in impact.possible],
        "cannot_be_ruled_out": [asdict(doubt) for doubt in impact.cannot_be_ruled_out],
    }


@blueprint.get("/models/<model_id>/licence")
@blueprint.output(LicenceShape)
@blueprint.doc(
    summary="Which restrictions a model inherits, and which models inherit its own",
    description=f"{NOTICE} Restrictions are those of declared licences.",
    responses=[404],
)
def follow_licence(model_id: str) -> dict[str, Any]:
    report, names = get_service().consequences.follow_licence(model_id)
    return {
        "model_id": report.model_id,
        "name": report.name,
        "licence": report.licence,
        "known": report.restrictions is not None,
        "restrictions": report.restrictions,
        "inherited": [
            {
                "restriction": one.restriction,
                "licence": one.licence,
                "source": _show(one.source, names),
            }
            for one in report.inherited
        ],
        "unknown_above": [
            {"licence": licence, "source": _show(source, names)}
            for licence, source in report.unknown_above
        ],
        "heirs": [
            {"model": _show(heir.model, names), "licence": heir.licence, "dropped": heir.dropped}
            for heir in report.heirs
        ],
        "summary": report.summary,
        "notice": NOTICE,
    }


def _show(one: Reached, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "probability": one.probability,
        "relation": one.relation,
        "equal": one.equal,
        "path": [
            {
                "parent": link.parent,
                "child": link.child,
                "parent_name": names[link.parent],
                "child_name": names[link.child],
                "relation": link.relation,
                "confidence": link.confidence,
            }
            for link in one.path
        ],
    }


def _list_rows(impact: Impact, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for group in ("sure", "likely", "possible"):
        for one in getattr(impact, group):
            way = [one.path[0].parent, *(link.child for link in one.path)]
            yield {
                "group": group,
                "id": one.id,
                "name": one.name,
                "probability": one.probability,
                "relation": one.relation,
                "path": " > ".join(names[member] for member in way),
            }
    for doubt in impact.cannot_be_ruled_out:
        yield {
            "group": "cannot_be_ruled_out",
            "id": doubt.id,
            "name": doubt.name,
            "probability": doubt.probability,
            "reason": doubt.reason,
        }
