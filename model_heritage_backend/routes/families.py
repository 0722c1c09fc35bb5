"""Families, their trees, and reclustering."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from model_heritage_backend.routes.access import needs
from model_heritage_backend.routes.links import link_next
from model_heritage_backend.routes.schemas.common import FamilyShape
from model_heritage_backend.routes.schemas.families import (
    FamilyList,
    FamilyListQuery,
    FamilyModels,
    Genealogy,
    Queued,
    Rebuilt,
    ReclusterQuery,
    Statistics,
    Tree,
)
from model_heritage_backend.routes.views import get_service, show_family, show_model, show_tree
from model_heritage_backend.services.access import Role

Answer = tuple[dict[str, Any], int, dict[str, str]]

blueprint = APIBlueprint("families", __name__, tag="Families")


@blueprint.get("/families")
@blueprint.input(FamilyListQuery, location="query")
@blueprint.output(FamilyList)
@blueprint.doc(
    summary="Families with statistics, largest first",
    description='The header `Link` with `rel="next"` leads to the page that follows.',
)
def list_families(query_data: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    page = get_service().families.list_page(**query_data)
    answer = {
        "families": [show_family(family) for family in page.families],
        "total": page.total,
        "next_cursor": page.next_cursor,
    }
    return answer, 200, link_next(page.next_cursor)


@blueprint.get("/families/<family_id>")
@blueprint.output(FamilyShape)
@blueprint.doc(summary="One family", responses=[404])
def get_family(family_id: str) -> dict[str, Any]:
    return show_family(get_service().families.get(family_id))


@blueprint.get("/families/<family_id>/models")
@blueprint.output(FamilyModels)
@blueprint.doc(summary="The models of a family", responses=[404])
def list_family_models(family_id: str) -> dict[str, Any]:
    _, members = get_service().get_tree(family_id)
    return {"family_id": family_id, "models": [show_model(view) for view in members]}


@blueprint.get("/families/<family_id>/tree")
@blueprint.output(Tree)
@blueprint.doc(summary="Nodes, edges and ghosts of a family", responses=[404])
def get_tree(family_id: str) -> dict[str, Any]:
    return show_tree(*get_service().get_tree(family_id))


@blueprint.get("/families/<family_id>/genealogy")
@blueprint.output(Genealogy)
@blueprint.doc(summary="A family with models, tree and statistics", responses=[404])
def get_genealogy(family_id: str) -> dict[str, Any]:
    service = get_service()
    family, members = service.get_tree(family_id)
    return {
        "family": show_family(service.families.get(family_id)),
        "models": [show_model(view) for view in members],
        "tree": show_tree(family, members),
        "statistics": service.management.get_family_genealogy(family_id)["statistics"],
    }


@blueprint.post("/families/<family_id>/tree/rebuild")
@blueprint.post("/families/<family_id>/rebuild-lineage")
@blueprint.output(Rebuilt)
@blueprint.doc(
    summary="Solve a family again",
    description="202 when that takes longer than `synchronous_seconds`.",
    responses=[202, 404, 409],
)
def rebuild_tree(family_id: str) -> Answer:
    job_id, result = get_service().rebuild(family_id)
    named = {"family_id": family_id, "job_id": job_id}
    if result is None:
        return {"status": "queued"} | named, 202, {"Location": f"/api/jobs/{job_id}"}
    return result | named, 200, {}


@blueprint.post("/clustering/recluster")
@blueprint.post("/clustering/full-rebuild")
@needs(Role.ADMIN)
@blueprint.input(ReclusterQuery, location="query")
@blueprint.output(Queued, status_code=202)
@blueprint.doc(
    summary="Find all families and trees from scratch",
    description="Families that are as what they are made of asks for are left as they are, unless "
    "`force` has them solved again.",
)
def recluster(query_data: dict[str, Any]) -> Answer:
    service = get_service()
    estimate = service.jobs.estimate_duration("recluster")
    job_id = service.recluster(force=query_data["force"])
    answer = {"job_id": job_id, "status": "queued", "estimated_duration": estimate}
    return answer, 202, {"Location": f"/api/jobs/{job_id}"}


@blueprint.get("/clustering/statistics")
@blueprint.output(Statistics)
@blueprint.doc(summary="Statistics of the clustering system")
def get_statistics() -> dict[str, Any]:
    return {"statistics": get_service().management.get_system_statistics()}
