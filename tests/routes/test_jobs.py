from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from model_heritage_backend.errors import InsufficientStorage, InvalidWeights
from model_heritage_backend.jobs.run import Progress
from model_heritage_backend.routes import job_events
from model_heritage_backend.routes.job_events import EventStreams
from model_heritage_backend.routes.jobs import STREAMS
from model_heritage_backend.routes.sessions import COOKIE
from model_heritage_backend.services.access import Role
from model_heritage_backend.services.heritage_service import HeritageService
from tests.served import MakeApp, check_problem, get_service, list_models, upload, wait_for_jobs

SECONDS = 60
LATER = {"Prefer": "respond-async"}


@pytest.fixture
def work(service: HeritageService) -> Iterator[list[Callable[[Progress], dict[str, Any]]]]:
    """What reclusterings do instead of their work: one entry for each attempt."""
    todo: list[Callable[[Progress], dict[str, Any]]] = []
    service._handlers["recluster"] = lambda _job, progress: todo.pop(0)(progress)
    yield todo


def wait_for(client: FlaskClient, job_id: str, **expected: Any) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while True:
        job: dict[str, Any] = client.get(f"/api/jobs/{job_id}").get_json()
        if all(job[name] == value for name, value in expected.items()):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.02)


def recluster(client: FlaskClient) -> str:
    return str(client.post("/api/clustering/recluster").get_json()["job_id"])


def keep_on(progress: Progress) -> dict[str, Any]:
    while True:
        progress(0.5, "half way")
        time.sleep(0.005)


def read_events(text: str) -> list[tuple[str, dict[str, Any]]]:
    events = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in fields:
            events.append((fields["event"], json.loads(fields["data"])))
    return events


def test_jobs(full_client: FlaskClient) -> None:
    answer = full_client.get("/api/jobs?limit=3").get_json()
    assert len(answer["jobs"]) == 3
    assert answer["total"] == len(list_models(full_client))
    job = answer["jobs"][0]
    assert full_client.get(f"/api/jobs/{job['id']}").get_json() == job
    assert (job["kind"], job["state"], job["progress"]) == ("process", "done", 1.0)
    assert (job["attempts"], job["max_attempts"], job["eta_seconds"]) == (1, 3, None)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"] == job["updated_at"]
    assert job["finished_at"].endswith("Z")
    following = full_client.get(f"/api/jobs?limit=200&cursor={answer['next_cursor']}").get_json()
    assert len(following["jobs"]) == answer["total"] - 3
    assert following["next_cursor"] is None
    found = full_client.get(f"/api/jobs?model={job['model_id']}&state=done&kind=process").get_json()
    assert [entry["id"] for entry in found["jobs"]] == [job["id"]]


@pytest.mark.parametrize(
    "query", ["limit=0", "state=lost", "kind=x", "cursor=x", "limit=x", "model=a%00", "model="]
)
def test_bad_lists(full_client: FlaskClient, query: str) -> None:
    check_problem(full_client.get(f"/api/jobs?{query}"), 400, "invalid-request")


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("delete", ""), ("post", "/retry"), ("get", "/events")],
)
def test_no_such_job(full_client: FlaskClient, method: str, path: str) -> None:
    check_problem(getattr(full_client, method)(f"/api/jobs/nothing{path}"), 404, "not-found")


def test_cancel_before_it_begins(
    client: FlaskClient, service: HeritageService, zoo_family: Zoo
) -> None:
    with service._executor.paused():
        # The thread has taken the first one and waits for its turn; the second one is queued.
        answers = [
            upload(client, zoo_family.path(name), name=name, headers=LATER)
            for name in ("base", "noisy")
        ]
        job_id = answers[1].get_json()["job_id"]
        assert client.delete(f"/api/jobs/{job_id}").status_code == 204
    wait_for_jobs(client)
    models = list_models(client)
    assert models["base"]["status"] == "ok"
    assert models["noisy"]["status"] == "error"
    assert "cancelled" in models["noisy"]["error"]
    assert client.get(f"/api/jobs/{job_id}").get_json()["state"] == "cancelled"
    check_problem(client.delete(f"/api/jobs/{job_id}"), 409, "conflict")
    # What was taken back can be asked for again.
    answer = client.post(f"/api/jobs/{job_id}/retry")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/jobs/{job_id}"
    wait_for(client, job_id, state="done")
    noisy = list_models(client)["noisy"]
    assert (noisy["status"], noisy["error"]) == ("ok", None)
    assert noisy["parent_id"] == models["base"]["id"]
    check_problem(client.post(f"/api/jobs/{job_id}/retry"), 409, "conflict")


def test_cancel_while_it_runs(client: FlaskClient, work: list[Any]) -> None:
    work[:] = [keep_on, lambda _: {"families": 0}]
    job_id = recluster(client)
    wait_for(client, job_id, stage="half way")
    answer = client.delete(f"/api/jobs/{job_id}")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/jobs/{job_id}"
    assert answer.get_json()["stage"] == "cancelling"
    job = wait_for(client, job_id, state="cancelled")
    assert job["error"]
    client.post(f"/api/jobs/{job_id}/retry")
    assert wait_for(client, job_id, state="done")["result"] == {"families": 0}


def test_the_answer_changes_only_when_the_job_does(client: FlaskClient, work: list[Any]) -> None:
    work[:] = [keep_on]
    job_id = recluster(client)
    first = wait_for(client, job_id, stage="half way")
    time.sleep(0.3)
    assert client.get(f"/api/jobs/{job_id}").get_json() == first
    client.delete(f"/api/jobs/{job_id}")
    wait_for(client, job_id, state="cancelled")


# What the specification says of jobs --------------------------------------------------------------


def test_assigning_rebuilds_the_family(client: FlaskClient, zoo_family: Zoo) -> None:
    """assign_model_job: the family and its lineage, and the model's status."""
    upload(client, zoo_family.path("base"), name="base")
    answer = upload(client, zoo_family.path("noisy"), name="noisy", headers=LATER).get_json()
    job = wait_for(client, answer["job_id"], state="done")
    assert (job["kind"], job["result"]["family_size"]) == ("process", 2)
    models = list_models(client)
    assert {model["status"] for model in models.values()} == {"ok"}
    assert models["noisy"]["parent_id"] == models["base"]["id"]


def test_lineage_jobs_name_their_family(client: FlaskClient, zoo_family: Zoo) -> None:
    """mother_lineage_job: for one family; the answer names the job."""
    for name in ("base", "noisy"):
        family_id = upload(client, zoo_family.path(name)).get_json()["family_id"]
    answer = client.post(f"/api/families/{family_id}/rebuild-lineage").get_json()
    job = client.get(f"/api/jobs/{answer['job_id']}").get_json()
    assert (job["kind"], job["state"], job["family_id"]) == ("rebuild", "done", family_id)
    assert job["result"]["models_updated"] == 2


@pytest.mark.parametrize(
    ("error", "attempts"),
    [(InvalidWeights("The file is broken."), 1), (InsufficientStorage("The disk is full."), 3)],
)
def test_errors_are_recorded_on_the_model(
    client: FlaskClient,
    service: HeritageService,
    zoo_family: Zoo,
    monkeypatch: pytest.MonkeyPatch,
    error: Any,
    attempts: int,
) -> None:
    """Those of the file at once, those of the world after three attempts."""
    monkeypatch.setattr(service._executor._lanes["genealogy"], "_pauses", (0.01,))
    tried = []

    def fail(model_id: str) -> dict[str, Any]:
        tried.append(model_id)
        raise error

    monkeypatch.setattr(service.management, "process_new_model", fail)
    answer = upload(client, zoo_family.path("base"), name="base").get_json()
    assert (answer["status"], answer["model"]["error"]) == ("error", error.detail)
    job = client.get(f"/api/jobs/{answer['job_id']}").get_json()
    assert (job["state"], job["error"]) == ("failed", error.detail)
    assert len(tried) == job["attempts"] == attempts


def test_a_full_rebuild_has_its_time(make_app: MakeApp) -> None:
    """timeout=7200 unless set otherwise; here it is over at once."""
    app = make_app(job_seconds={"recluster": 0.05})
    client = app.test_client()
    service: HeritageService = app.extensions["model_heritage"]
    service._handlers["recluster"] = lambda _job, progress: keep_on(progress)
    job = wait_for(client, recluster(client), state="failed")
    assert "longer than" in job["error"]


# Events -----------------------------------------------------------------------------------------


def test_events_tell_progress_until_the_end(client: FlaskClient, work: list[Any]) -> None:
    go_on = threading.Event()

    def two_steps(progress: Progress) -> dict[str, Any]:
        progress(0.5, "half way")
        go_on.wait(SECONDS)
        return {"families": 2}

    work[:] = [two_steps]
    job_id = recluster(client)
    wait_for(client, job_id, stage="half way")
    threading.Timer(0.4, go_on.set).start()
    answer = client.get(f"/api/jobs/{job_id}/events")
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    events = read_events(answer.get_data(as_text=True))
    assert [(name, job["stage"]) for name, job in events] == [
        ("progress", "half way"),
        ("done", "done"),
    ]
    assert events[-1][1] == client.get(f"/api/jobs/{job_id}").get_json()


def test_events_of_what_is_over(full_client: FlaskClient) -> None:
    job = full_client.get("/api/jobs?limit=1").get_json()["jobs"][0]
    events = read_events(full_client.get(f"/api/jobs/{job['id']}/events").get_data(as_text=True))
    assert events == [("done", job)]


def test_streams_are_limited(app: APIFlask, client: FlaskClient, work: list[Any]) -> None:
    work[:] = [keep_on]
    job_id = recluster(client)
    path = f"/api/jobs/{job_id}/events"
    # Half of the eight threads.
    open_ones = [client.get(path) for _ in range(4)]
    refused = client.get(path)
    check_problem(refused, 503, "too-many-streams")
    assert refused.headers["Retry-After"] == "5"
    open_ones.pop().close()
    again = client.get(path)
    assert again.status_code == 200
    streams: EventStreams = app.extensions[STREAMS]
    streams.is_serving = lambda: False
    assert read_events(again.get_data(as_text=True)) == []
    for answer in open_ones:
        answer.close()
    client.delete(f"/api/jobs/{job_id}")
    wait_for(client, job_id, state="cancelled")


def test_silence_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_events, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(job_events, "HEARTBEAT_SECONDS", 0.05)
    events = EventStreams(limit=1).follow(lambda: {"state": "running"}, recheck=lambda: None)
    assert [next(events).split("\n")[0] for _ in range(4)] == [
        "retry: 2000",
        "event: progress",
        ": still here",
        ": still here",
    ]


@pytest.mark.parametrize("by_session", [False, True])
def test_a_stream_ends_with_what_it_began_with(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, *, by_session: bool
) -> None:
    monkeypatch.setattr(job_events, "RECHECK_SECONDS", 0.0)
    monkeypatch.setattr(job_events, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(job_events, "LOOK_SECONDS", 0.001)
    app = make_app(access="token")
    service, client = get_service(app), app.test_client()
    row, text = service.access.create("listener", Role.ADMIN, days=1)
    identity = service.access.identify(text, address="")
    if by_session:
        secret = service.sessions.begin(identity, hours=1, address="", agent="")
        client.set_cookie(COOKIE, secret, path="/api")
        headers = {}
    else:
        headers = {"Authorization": f"Bearer {text}"}
    # One that nobody works at goes on for ever.
    job_id = service.job_queue.add("recluster")
    answer = client.get(f"/api/jobs/{job_id}/events", headers=headers)
    pieces = answer.iter_encoded()
    assert b"retry" in next(pieces) and b"progress" in next(pieces)
    if by_session:
        service.sessions.end_own(service.sessions.recall(secret))
    else:
        service.access.tokens.revoke(row.id)
    assert next(pieces, None) is None
    answer.close()
    assert client.get(f"/api/jobs/{job_id}/events", headers=headers).status_code == 401
