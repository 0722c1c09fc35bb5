from __future__ import annotations

import os
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import update

from benchmarks.zoo import Zoo
from model_heritage_backend.models.database import now
from model_heritage_backend.models.tables import Job
from model_heritage_backend.services.heritage_service import HeritageService
from tests.served import list_edges, list_files, upload, wait_for_jobs


def test_cleaning_up(client: FlaskClient, service: HeritageService, zoo_family: Zoo) -> None:
    """cleanup_cache_job of the specification: caches, old logs, the database."""
    for name in ("base", "noisy"):
        upload(client, zoo_family.path(name), name=name)
    edges, blobs = list_edges(client), list_files(service.files.data_dir)["blobs"]
    dead = service.files.staging / ("a" * 32)
    dead.write_bytes(b"12345")
    os.utime(dead, (0, 0))
    job = client.get("/api/jobs").get_json()["jobs"][0]
    with service._database.write() as session:
        past = now() - timedelta(days=100)
        session.execute(update(Job).where(Job.id == job["id"]).values(finished_at=past))
    service.maintenance.add_step("of another", lambda: {"more": 3})
    answer = client.post("/api/maintenance/cleanup")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/jobs/{answer.get_json()['job_id']}"
    (done, *_) = wait_for_jobs(client)
    assert (done["kind"], done["state"]) == ("cleanup", "done"), done["error"]
    assert done["result"] == {
        "status": "success",
        "staged_files": 1,
        "staged_bytes": 5,
        "orphan_files": 0,
        "orphan_bytes": 0,
        "unknown_files": 0,
        "unknown": [],
        "jobs": 1,
        "evidence": 0,
        "more": 3,
        "expired_uploads": 0,
        "database_bytes": done["result"]["database_bytes"],
    }
    assert client.get(f"/api/jobs/{job['id']}").status_code == 404
    assert list_files(service.files.data_dir) == {"staging": [], "blobs": blobs}
    assert list_edges(client) == edges
