"""What the server's owner asks for: importing a folder, cleaning up."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from model_heritage_backend.routes.access import get_identity, needs
from model_heritage_backend.routes.schemas.families import Queued
from model_heritage_backend.routes.schemas.maintenance import ImportRequest, UpkeepState
from model_heritage_backend.routes.views import get_service, show_time
from model_heritage_backend.services.access import Role

blueprint = APIBlueprint("maintenance", __name__, tag="Jobs")
TIMES = ("last_backup_at", "last_verified_at")
Answer = tuple[dict[str, Any], int, dict[str, str]]


@blueprint.post("/imports")
@needs(Role.ADMIN)
@blueprint.input(ImportRequest)
@blueprint.output(Queued, status_code=202)
@blueprint.doc(
    summary="Import all models of a folder of the server",
    description="Only from below the folders that the setting `import_roots` names.",
    responses=[400, 403, 404],
)
def start_import(json_data: dict[str, Any]) -> Answer:
    return _queued(
        get_service().imports.start(json_data["folder"], owner_id=get_identity().owner_id)
    )


@blueprint.post("/maintenance/cleanup")
@needs(Role.ADMIN)
@blueprint.output(Queued, status_code=202)
@blueprint.doc(summary="Remove what nothing needs any more, and tidy up the database")
def clean_up() -> Answer:
    return _queued(get_service().maintenance.start())


@blueprint.get("/maintenance/upkeep")
@needs(Role.ADMIN)
@blueprint.output(UpkeepState)
@blueprint.doc(summary="What there is of backups, and which stored files are damaged")
def show_upkeep() -> dict[str, Any]:
    state = get_service().upkeep.get_state()
    times = {name: state[name] and show_time(state[name]) for name in TIMES}
    return state | times


def _queued(job_id: str) -> Answer:
    answer = {"job_id": job_id, "status": "queued", "estimated_duration": None}
    return answer, 202, {"Location": f"/api/jobs/{job_id}"}
