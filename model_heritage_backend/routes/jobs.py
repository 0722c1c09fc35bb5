"""Jobs: what is to be done, what is being done, and what became of it."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from model_heritage_backend.routes.schemas.jobs import JobList, JobListQuery, JobShape
from model_heritage_backend.routes.views import get_service, show_job

blueprint = APIBlueprint("jobs", __name__, tag="Jobs")


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
