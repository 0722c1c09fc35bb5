from __future__ import annotations

from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from model_heritage_backend import __version__
from tests.served import check_problem, get_service, list_models, upload


def test_totals(full_client: FlaskClient, zoo_family: Zoo) -> None:
    totals = full_client.get("/api/stats").get_json()
    models = list_models(full_client)
    assert totals["total_models"] == len(models) == len(zoo_family.ids) + 4
    assert totals["total_families"] == 5
    assert totals["total_parameters"] == sum(m["total_parameters"] for m in models.values())
    assert totals["total_bytes"] == sum(m["file_size"] for m in models.values())
    assert sum(totals["relations"].values()) == totals["total_edges"]
    assert 0 < totals["resolved_edges"] <= totals["total_edges"]
    assert totals["processing"] == totals["errors"] == 0
    assert totals["largest_families"][0]["size"] == len(zoo_family.ids)


def test_totals_in_the_specifications_words(full_client: FlaskClient) -> None:
    totals = full_client.get("/api/stats").get_json()
    told = full_client.get("/api/system/stats").get_json()["system_stats"]
    assert told["total_models"] == totals["total_models"]
    assert told["total_families"] == totals["total_families"]
    assert told["total_lineage_edges"] == totals["total_edges"]
    assert told["avg_family_cohesion"] > 0


def test_everything_of_nothing(client: FlaskClient) -> None:
    assert client.get("/api/stats").get_json()["mean_confidence"] is None
    assert client.get("/api/system/stats").get_json()["system_stats"]["avg_family_cohesion"] is None
    assert client.get("/api/jobs").get_json() == {"jobs": [], "total": 0}
    assert client.get("/api/clustering/statistics").status_code == 200


def test_health(client: FlaskClient) -> None:
    expected = {"status": "ok", "version": __version__, "database": "ok"}
    assert client.get("/api/health").get_json() == expected


def test_metrics(full_client: FlaskClient) -> None:
    answer = full_client.get("/api/metrics")
    assert answer.mimetype == "text/plain"
    values = dict(
        line.split() for line in answer.get_data(as_text=True).splitlines() if line[0] != "#"
    )
    assert values["model_heritage_models"] == str(len(list_models(full_client)))


def test_jobs(full_client: FlaskClient) -> None:
    answer = full_client.get("/api/jobs?limit=3").get_json()
    assert len(answer["jobs"]) == 3
    assert answer["total"] == len(list_models(full_client))
    job = answer["jobs"][0]
    assert full_client.get(f"/api/jobs/{job['id']}").get_json() == job
    assert (job["kind"], job["state"], job["progress"]) == ("process", "done", 1.0)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    assert job["finished_at"].endswith("Z")
    check_problem(full_client.get("/api/jobs?limit=0"), 400, "invalid-request")
    check_problem(full_client.get("/api/jobs/nothing"), 404, "not-found")


def test_cancel(client: FlaskClient, zoo_family: Zoo) -> None:
    executor = get_service(client.application)._executor  # type: ignore[arg-type]
    with executor.paused():
        # The thread has taken the first one and waits for its turn; the second one is queued.
        answers = [
            upload(client, zoo_family.path(name), name=name, headers={"Prefer": "respond-async"})
            for name in ("base", "noisy")
        ]
        job_id = answers[1].get_json()["job_id"]
        assert client.delete(f"/api/jobs/{job_id}").status_code == 204
    client.post(f"/api/models/{answers[0].get_json()['model_id']}/reprocess")
    models = list_models(client)
    assert models["base"]["status"] == "ok"
    assert models["noisy"]["status"] == "error"
    assert "cancelled" in models["noisy"]["error"]
    check_problem(client.delete(f"/api/jobs/{job_id}"), 409, "conflict")
    check_problem(client.delete("/api/jobs/nothing"), 404, "not-found")
    again = client.post(f"/api/models/{models['noisy']['id']}/reprocess").get_json()
    assert (again["status"], again["model"]["error"]) == ("ok", None)
    assert again["parent_id"] == models["base"]["id"]
