"""Jobs: what is to be done, what is being done, and what became of it."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app

from model_heritage_backend.models.tables import Job
from model_heritage_backend.routes.access import get_identity, refuse_others
from model_heritage_backend.routes.job_events import MEDIA_TYPE, EventStreams
from model_heritage_backend.routes.schemas.jobs import JobList, JobListQuery, JobShape
from model_heritage_backend.routes.views import get_service, show_job
from model_heritage_backend.services.deletion import OWNER
from model_heritage_backend.services.jobs import EDITORS_KINDS

STREAMS = "model_heritage_streams"
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
EVENT = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "enum": ["progress", "done"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
"""Of one event: there is no schema of a stream."""
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `progress` and `done`, each with the job as JSON",
        "content": {MEDIA_TYPE: {"schema": EVENT}},
    },
    404: {"description": "No such job", "content": PROBLEM},
    503: {"description": "Too many streams are open", "content": PROBLEM},
}

blueprint = APIBlueprint("jobs", __name__, tag="Jobs")


@blueprint.get("/jobs")
@blueprint.input(JobListQuery, location="query")
@blueprint.output(JobList)
@blueprint.doc(summary="Jobs, newest first", responses=[400])
def list_jobs(query_data: dict[str, Any]) -> dict[str, Any]:
    page = get_service().jobs.listing.list_page(**query_data)
    return {
        "jobs": [show_job(job) for job in page.jobs],
        "total": page.total,
        "next_cursor": page.next_cursor,
    }


@blueprint.get("/jobs/<job_id>")
@blueprint.output(JobShape)
@blueprint.doc(summary="One job", responses=[404])
def get_job(job_id: str) -> dict[str, Any]:
    return show_job(get_service().jobs.get(job_id))


@blueprint.delete("/jobs/<job_id>")
@blueprint.output(JobShape, status_code=202)
@blueprint.doc(
    summary="Cancel a job",
    description="204 when it had not begun; 202 when it is asked to stop, which it does soon.",
    responses={
        204: "It is cancelled",
        403: "Only who may ask for such a job may cancel it",
        404: "No such job",
        409: "It is over already",
    },
)
def cancel_job(job_id: str) -> Any:
    service = get_service()
    _refuse_others_work(service.jobs.get(job_id))
    if service.jobs.cancel(job_id):
        return "", 204
    return show_job(service.jobs.get(job_id)), 202, _place(job_id)


@blueprint.post("/jobs/<job_id>/retry")
@blueprint.output(JobShape, status_code=202)
@blueprint.doc(summary="Try a failed or cancelled job again", responses=[403, 404, 409])
def retry_job(job_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    service = get_service()
    _refuse_others_work(service.jobs.get(job_id))
    service.jobs.retry(job_id)
    return show_job(service.jobs.get(job_id)), 202, _place(job_id)


@blueprint.get("/jobs/<job_id>/events")
@blueprint.doc(
    summary="The progress of a job as Server-Sent Events",
    description="Ends with `done`. Of the server's threads, only a part may serve such streams.",
    responses=EVENTS,
)
def follow_job(job_id: str) -> Response:
    service = get_service()
    streams: EventStreams = current_app.extensions[STREAMS]
    service.jobs.get(job_id)
    release = streams.take()
    identity = get_identity()
    # Not in the generator: one that was never begun runs no finally.
    events = streams.follow(
        lambda: show_job(service.jobs.get(job_id)),
        recheck=lambda: service.sessions.recheck(identity),
    )
    response = Response(events, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(release)
    return response


def _refuse_others_work(job: Job) -> None:
    """Whoever may not ask for a job may not bring it back either, nor stop it.

    Raises
    ------
    NotAllowed
    """
    if job.kind not in EDITORS_KINDS:
        refuse_others(job.parameters.get(OWNER) if job.kind == "delete" else None)


def _place(job_id: str) -> dict[str, str]:
    return {"Location": f"/api/jobs/{job_id}"}
