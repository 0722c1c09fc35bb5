"""Deleting families and all that somebody brought, and what would follow, told before."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from model_heritage_backend.models.deletions import Deletion
from model_heritage_backend.routes.access import needs, refuse_others
from model_heritage_backend.routes.schemas.deletion import (
    DeletionQueued,
    DeletionShape,
    OwnerList,
)
from model_heritage_backend.routes.views import Answer, get_service
from model_heritage_backend.services.access import Role
from model_heritage_backend.services.quotas import Quota

LISTED = 100
blueprint = APIBlueprint("deletion", __name__, tag="Deletion")


@blueprint.get("/models/<model_id>/deletion")
@blueprint.output(DeletionShape)
@blueprint.doc(summary="What deleting a model would do; nothing is deleted", responses=[404])
def weigh_model(model_id: str) -> dict[str, Any]:
    return _show(get_service().deletion.weigh_model(model_id))


@blueprint.get("/families/<family_id>/deletion")
@blueprint.output(DeletionShape)
@blueprint.doc(summary="What deleting a family would do; nothing is deleted", responses=[404])
def weigh_family(family_id: str) -> dict[str, Any]:
    return _show(get_service().deletion.weigh_family(family_id))


@blueprint.get("/owners/<owner_id>/deletion")
@blueprint.output(DeletionShape)
@blueprint.doc(
    summary="What deleting all that somebody brought would do; nothing is deleted",
    responses=[404],
)
def weigh_owner(owner_id: str) -> dict[str, Any]:
    refuse_others(owner_id)
    return _show(get_service().deletion.weigh_owner(owner_id))


@blueprint.delete("/families/<family_id>")
@needs(Role.ADMIN)
@blueprint.output(DeletionQueued, status_code=202)
@blueprint.doc(
    summary="Delete all models of a family and their files",
    description="A job does it; what it does is told by `GET /families/{family_id}/deletion`.",
    responses=[404],
)
def delete_family(family_id: str) -> Answer:
    return _tell(get_service().deletion.start_family(family_id))


@blueprint.delete("/owners/<owner_id>/models")
@blueprint.output(DeletionQueued, status_code=202)
@blueprint.doc(
    summary="Delete all that a user, or a token without a user, brought",
    description="A job does it. Editors may do this with what is their own, admins with anyone's.",
    responses=[404],
)
def delete_models_of(owner_id: str) -> Answer:
    refuse_others(owner_id)
    return _tell(get_service().deletion.start_owner(owner_id))


@blueprint.get("/owners")
@needs(Role.ADMIN)
@blueprint.output(OwnerList)
@blueprint.doc(
    summary="Who keeps how much, the most bytes first, and how much may be kept",
    description="The entry without an id is of models that came while access was open, or by an "
    "import.",
)
def list_owners() -> dict[str, Any]:
    quotas = get_service().quotas
    return {
        "owners": [
            {"id": one.id, "name": one.name, "models": one.usage.models, "bytes": one.usage.bytes}
            for one in quotas.owners.list_all()
        ],
        "limits": _show_quota(quotas.total),
        "limits_per_owner": _show_quota(quotas.each),
    }


def _show(deletion: Deletion) -> dict[str, Any]:
    return {
        "models": len(deletion.models),
        "bytes": deletion.bytes,
        "children": [{"id": one.id, "name": one.name} for one in deletion.children[:LISTED]],
        "children_total": len(deletion.children),
        "families": len(deletion.families),
        "families_ended": deletion.families_ended,
        "statements": deletion.statements,
    }


def _show_quota(quota: Quota) -> dict[str, int | None]:
    return {"models": quota.models, "bytes": quota.bytes}


def _tell(job_id: str) -> Answer:
    return {"job_id": job_id, "status": "queued"}, 202, {"Location": f"/api/jobs/{job_id}"}
