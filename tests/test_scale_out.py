"""Several servers and workers on one PostgreSQL, one Redis and one folder."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from safetensors.numpy import save
from sqlalchemy import update

from benchmarks.zoo import Zoo
from model_heritage_backend.config import Settings
from model_heritage_backend.models.database import now
from model_heritage_backend.models.tables import Job
from tests.databases import postgres_only
from tests.processes import RealServer, RealWorker
from tests.redis_server import RedisServer
from tests.routes.resuming import VERSION, encode_metadata
from tests.served import MakeApp, get_service, list_edges, list_models, upload
from tests.test_journey import wait_for

pytestmark = postgres_only
ENDLESS_BYTES = 1 << 40
SECONDS = 600


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="heritage-redis-"))
    with RedisServer(folder) as server:
        yield server
    shutil.rmtree(folder)


def ask_for_import(client: FlaskClient, folder: Path) -> str:
    answer = client.post("/api/imports", json={"folder": str(folder)})
    assert answer.status_code == 202
    return str(answer.get_json()["job_id"])


def make_endless(folder: Path) -> Path:
    folder.mkdir(parents=True)
    with (folder / "a.safetensors").open("wb") as file:
        file.truncate(ENDLESS_BYTES)
    return folder / "a.safetensors"


def test_killing_a_worker_in_the_middle_of_a_job_loses_nothing(
    tmp_path: Path, redis: RedisServer, zoo_family: Zoo, settings: Settings, make_app: MakeApp
) -> None:
    data, shelf = settings.data_dir, tmp_path / "shelf"
    endless = make_endless(shelf / "one")
    make_endless(shelf / "two")
    shutil.copy(zoo_family.path("base"), shelf / "one")
    app = make_app(redis_url=redis.url, import_roots=(shelf,))
    client = app.test_client()
    variables = {"REDIS_URL": redis.url, "MODEL_HERITAGE_IMPORT_ROOTS": str(shelf)}

    def look(job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = client.get(f"/api/jobs/{job_id}").get_json()
        return job

    job_id = ask_for_import(client, shelf / "one")
    with RealWorker(data, **variables) as worker:
        wait_for(lambda: look(job_id)["progress"] > 0, seconds=SECONDS)
        worker.kill()
    assert (look(job_id)["state"], look(job_id)["attempts"]) == ("running", 1)
    endless.unlink()
    # Whatever Redis knew is gone, too, and for a while there is none.
    redis.stop()
    answer = upload(client, zoo_family.path("noisy"), headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    redis.start()
    with RealWorker(data, **variables) as worker:
        # As if a minute had passed.
        with get_service(app)._database.write() as session:
            session.execute(update(Job).where(Job.id == job_id).values(lease_until=now()))
        wait_for(lambda: look(job_id)["state"] == "done", seconds=SECONDS)
        assert look(job_id)["attempts"] == 2
        wait_for(lambda: client.get("/api/stats").get_json()["processing"] == 0, seconds=SECONDS)
        models = list_models(client)
        assert len(models) == 2
        assert {model["status"] for model in models.values()} == {"ok"}
        assert len({model["family_id"] for model in models.values()}) == 1
        # A worker hears of what was cancelled elsewhere.
        second = ask_for_import(client, shelf / "two")
        wait_for(lambda: look(second)["progress"] > 0, seconds=SECONDS)
        assert client.delete(f"/api/jobs/{second}").status_code == 202
        wait_for(lambda: look(second)["state"] == "cancelled", seconds=SECONDS)
        # One that is stopped gives back what it was at.
        third = ask_for_import(client, shelf / "two")
        wait_for(lambda: look(third)["progress"] > 0, seconds=SECONDS)
        assert worker.stop() == 0
        assert (look(third)["state"], look(third)["attempts"]) == ("queued", 0)


def test_servers_and_workers_at_once_find_what_one_server_finds(
    redis: RedisServer,
    settings: Settings,
    make_app: MakeApp,
    full_client: FlaskClient,
    zoo_family: Zoo,
    strangers: list[Path],
) -> None:
    """Two servers, two workers, all files at the same time."""
    paths = {name: zoo_family.path(name) for name in zoo_family.ids}
    paths |= {f"stranger-{path.stem}": path for path in strangers}
    app, variables = make_app(redis_url=redis.url), {"REDIS_URL": redis.url}
    with (
        RealServer(settings.data_dir, **variables) as other,
        RealWorker(settings.data_dir, **variables),
        RealWorker(settings.data_dir, **variables),
        ThreadPoolExecutor(len(paths)) as pool,
    ):

        def send(number: int, name: str) -> int:
            if number % 2:
                return other.put(paths[name], name)[0]
            return upload(app.test_client(), paths[name], name=name).status_code

        sent = [pool.submit(send, number, name) for number, name in enumerate(paths)]
        assert {future.result() for future in sent} == {201}
        client = app.test_client()
        wait_for(lambda: client.get("/api/stats").get_json()["processing"] == 0, seconds=SECONDS)
        assert {model["status"] for model in list_models(client).values()} == {"ok"}
        assert list_edges(client) == list_edges(full_client)
        check_an_upload_in_parts(client, other)


def check_an_upload_in_parts(client: FlaskClient, other: RealServer) -> None:
    """Announced at one process, sent to two, finished at the first."""
    content = save({"weight": np.random.default_rng(1).standard_normal((64, 64))})
    half, whole = len(content) // 2, len(content)
    words = VERSION | {
        "Upload-Length": str(whole),
        "Upload-Metadata": encode_metadata(filename="a.safetensors"),
    }
    url = (
        client.post("/api/uploads", headers=words)
        .headers["Location"]
        .removeprefix("http://localhost")
    )
    kind = {"Content-Type": "application/offset+octet-stream"}
    first = VERSION | kind | {"Upload-Offset": "0"}
    assert client.patch(url, headers=first, data=content[:half]).status_code == 204
    middle = VERSION | kind | {"Upload-Offset": str(half)}
    assert other.ask("PATCH", url, content[half:-9], **middle)[0] == 204
    assert client.get(url).get_json()["offset"] == whole - 9
    last = VERSION | kind | {"Upload-Offset": str(whole - 9)}
    assert client.patch(url, headers=last, data=content[-9:]).status_code == 204
    done = other.ask("GET", url)[1]
    assert done["model_id"] == f"m_{hashlib.sha256(content).hexdigest()[:16]}"
    assert other.ask("DELETE", url, **VERSION)[0] == 204
    assert client.get(url).status_code == 404
