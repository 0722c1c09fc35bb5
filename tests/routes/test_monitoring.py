from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from benchmarks.zoo import Zoo
from model_heritage_backend import __version__
from model_heritage_backend.models.database import Database
from model_heritage_backend.services.heritage_service import HeritageService
from tests.served import MakeApp, check_problem, get_service, list_models, upload, wait_for_jobs


def read_metrics(client: FlaskClient) -> dict[str, float]:
    """``name{label=value}`` -> value, of every sample."""
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found = {}
    for family in text_string_to_metric_families(answer.get_data(as_text=True)):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            name = sample.name.removeprefix("model_heritage_")
            found[f"{name}{{{labels}}}" if labels else name] = sample.value
    return found


def test_health_asks_nothing_else(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "read", None)
    for path in ("/health", "/api/health"):
        assert client.get(path).get_json() == {"status": "ok", "version": __version__}
        assert client.head(path).status_code == 200


def test_ready(client: FlaskClient) -> None:
    for path in ("/ready", "/api/ready"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.get_json()["status"] == "ready"
        assert set(answer.get_json()["checks"].values()) == {"ok"}


def test_not_ready_tells_what_fails(
    client: FlaskClient, service: HeritageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object) -> None:
        raise OperationalError("select", {}, Exception("/secret/path"))

    with monkeypatch.context() as patch:
        patch.setattr(Database, "read", break_off)
        problem = check_problem(client.get("/ready"), 503, "not-ready")
        assert problem["failing"] == ["database"]
        assert problem["checks"]["disk"] == "ok"
        assert "secret" not in str(problem)
    with monkeypatch.context() as patch:
        patch.setattr(service.files, "_reserve_bytes", 1 << 60)
        answer = client.get("/ready")
        assert check_problem(answer, 503, "not-ready")["failing"] == ["disk"]
        assert answer.headers["Retry-After"] == "10"
    staging = service.files.staging
    staging.rename(staging.with_name("gone"))
    assert check_problem(client.get("/ready"), 503, "not-ready")["failing"] == [
        "data_folder",
        "disk",
    ]
    staging.with_name("gone").rename(staging)
    service._executor.stop()
    assert check_problem(client.get("/ready"), 503, "not-ready")["failing"] == ["queue"]


def test_every_metric_moves_when_its_thing_happens(client: FlaskClient, zoo_family: Zoo) -> None:
    before = read_metrics(client)
    # What first appears at 1 has not grown, to Prometheus.
    for name in (
        "jobs_ended_total{kind=process,outcome=failed}",
        "log_lines_total{level=error}",
        "errors_total{status=429,type=too-many-attempts}",
        "slow_requests_total",
    ):
        assert before[name] == 0
    assert upload(client, zoo_family.path("base")).status_code == 201
    path = zoo_family.path("base")
    assert upload(client, path).status_code == 409
    after = read_metrics(client)
    assert before["info{version=" + __version__ + "}"] == 1

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    (model,) = list_models(client).values()
    for stage in ("file_conversion", "signature_extraction", "structural_analysis"):
        assert grown(f"{stage}_seconds_count") == 1
        assert grown(f"{stage}_seconds_sum") > 0
    assert grown("total_parameters_extracted_sum") == model["total_parameters"]
    assert grown("file_size_mb_sum") == pytest.approx(model["file_size"] / 1e6)
    assert grown("clustering_seconds_count") >= 1
    assert grown("lineage_seconds_count") == 1
    assert grown("uploads_total{outcome=stored}") == 1
    assert grown("uploads_total{outcome=refused}") == 1
    assert grown("jobs_ended_total{kind=process,outcome=done}") == 1
    assert grown("job_seconds_count{kind=process}") == 1
    assert grown("errors_total{status=409,type=duplicate-model}") == 1
    assert grown("http_requests_total{method=POST,route=/api/models,status=201}") == 1
    assert grown("http_request_seconds_count{method=POST,route=/api/models}") == 2
    assert grown("models") == grown("families") == grown("jobs{state=done}") == 1
    assert grown("bytes") == model["file_size"]
    assert grown("parameters") == model["total_parameters"]
    assert after["disk_free_bytes"] > 0
    assert after["queue_oldest_seconds"] == after["staging_bytes"] == 0
    assert after["process_resident_memory_bytes"] > 1e6


def test_failed_jobs_and_waiting_ones_count(
    client: FlaskClient, service: HeritageService, zoo_family: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    upload(client, zoo_family.path("base"))
    monkeypatch.setattr(service.management, "recluster_all_models", fail)
    client.post("/api/clustering/recluster")
    job = wait_for_jobs(client)[0]
    assert job["state"] == "failed"
    assert "memory" in job["error"]
    with service._executor.paused():
        client.post("/api/clustering/recluster")
        time.sleep(0.02)
        found = read_metrics(client)
    assert found["jobs_ended_total{kind=recluster,outcome=failed}"] == 1
    assert found["jobs{state=queued}"] == 1
    assert found["queue_oldest_seconds"] > 0


def test_who_may_read_metrics(make_app: MakeApp) -> None:
    client = make_app(access="token").test_client()
    for path in ("/metrics", "/api/metrics"):
        check_problem(client.get(path), 401, "not-signed-in")
    for path in ("/health", "/ready"):
        assert client.get(path).status_code == 200
    client = make_app(access="token", metrics_open=True).test_client()
    for path in ("/metrics", "/api/metrics"):
        assert client.get(path).status_code == 200


def test_counting_costs_less_than_a_tenth_of_a_millisecond(app: APIFlask) -> None:
    """In processor time and the best of some, as the machine may be busy."""
    metrics = get_service(app).metrics
    best = min(_measure(metrics.count_request) for _ in range(5))
    assert best < 0.0001


def _measure(count: Callable[..., None]) -> float:
    began = time.thread_time()
    for _ in range(100):
        count(method="GET", route="/api/x", status=200, seconds=0.1, slow=False, problem=None)
    return (time.thread_time() - began) / 100
