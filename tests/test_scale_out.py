"""Several servers and workers on one PostgreSQL, one Redis and one folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import update

from benchmarks.zoo import Zoo
from model_heritage_backend.config import PROJECT
from model_heritage_backend.models.database import Database, now, open_engine
from model_heritage_backend.models.tables import Job
from tests.databases import get_address, list_variables, postgres_only
from tests.processes import RealServer
from tests.redis_server import RedisServer
from tests.served import MakeApp, list_edges, upload
from tests.test_journey import wait_for

pytestmark = postgres_only
ENDLESS_BYTES = 1 << 40


class RealWorker:
    """``model-heritage worker``; a context manager that kills it."""

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "model_heritage_backend", "worker"],
            cwd=PROJECT,
            env={
                **os.environ,
                **list_variables(data_dir),
                "MODEL_HERITAGE_DATA_DIR": str(data_dir),
                **variables,
            },
            start_new_session=True,
        )

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="heritage-redis-"))
    with RedisServer(folder) as server:
        yield server
    shutil.rmtree(folder)


def ask_for_import(server: RealServer, folder: Path) -> str:
    body = f'{{"folder": "{folder}"}}'.encode()
    answer = server.ask("POST", "/api/imports", body, **{"Content-Type": "application/json"})
    assert answer[0] == 202
    return str(answer[1]["job_id"])


def test_killing_a_worker_in_the_middle_of_a_job_loses_nothing(
    tmp_path: Path, redis: RedisServer, zoo_family: Zoo, plain_environment: None
) -> None:
    data, shelf = tmp_path / "uploads", tmp_path / "shelf"
    shelf.mkdir()
    with (shelf / "a.safetensors").open("wb") as file:
        file.truncate(ENDLESS_BYTES)
    shutil.copy(zoo_family.path("base"), shelf)
    shared = {"REDIS_URL": redis.url, "MODEL_HERITAGE_IMPORT_ROOTS": str(shelf)}
    with RealServer(data, **shared) as server:

        def look(job_id: str) -> dict[str, Any]:
            job: dict[str, Any] = server.ask("GET", f"/api/jobs/{job_id}")[1]
            return job

        job_id = ask_for_import(server, shelf)
        with RealWorker(data, **shared) as worker:
            wait_for(lambda: look(job_id)["progress"] > 0, seconds=60)
            worker.kill()
        assert (look(job_id)["state"], look(job_id)["attempts"]) == ("running", 1)
        (shelf / "a.safetensors").unlink()
        # Whatever Redis knew is gone, too, and for a while there is none.
        redis.stop()
        name = zoo_family.path("noisy").name
        assert server.put(zoo_family.path("noisy"), name, Prefer="respond-async")[0] == 202
        redis.start()
        with RealWorker(data, **shared) as worker:
            # As if a minute had passed.
            database = Database(open_engine(get_address(data)))
            with database.write() as session:
                session.execute(update(Job).where(Job.id == job_id).values(lease_until=now()))
            database.close()
            wait_for(lambda: look(job_id)["state"] == "done", seconds=60)
            assert look(job_id)["attempts"] == 2
            wait_for(lambda: server.ask("GET", "/api/stats")[1]["processing"] == 0, seconds=60)
            assert worker.stop() == 0
        models = server.list_models()
        assert len(models) == 2
        assert {model["status"] for model in models.values()} == {"ok"}
        assert len({model["family_id"] for model in models.values()}) == 1


def test_a_job_at_a_worker_can_be_cancelled(
    tmp_path: Path, redis: RedisServer, plain_environment: None
) -> None:
    data, shelf = tmp_path / "uploads", tmp_path / "shelf"
    shelf.mkdir()
    with (shelf / "a.safetensors").open("wb") as file:
        file.truncate(ENDLESS_BYTES)
    shared = {"REDIS_URL": redis.url, "MODEL_HERITAGE_IMPORT_ROOTS": str(shelf)}
    with RealServer(data, **shared) as server, RealWorker(data, **shared):
        job_id = ask_for_import(server, shelf)
        wait_for(lambda: server.ask("GET", f"/api/jobs/{job_id}")[1]["progress"] > 0, seconds=60)
        assert server.ask("DELETE", f"/api/jobs/{job_id}")[0] == 202
        wait_for(lambda: server.ask("GET", f"/api/jobs/{job_id}")[1]["state"] == "cancelled")


def test_servers_and_workers_at_once_find_what_one_server_finds(
    tmp_path: Path, redis: RedisServer, make_app: MakeApp, zoo_family: Zoo, strangers: list[Path]
) -> None:
    """Two servers, two workers, all files at the same time."""
    paths = {name: zoo_family.path(name) for name in zoo_family.ids}
    paths |= {f"stranger-{path.stem}": path for path in strangers}
    client = make_app().test_client()
    for name, path in sorted(paths.items()):
        assert upload(client, path, name=name).status_code == 201
    expected = list_edges(client)
    data, shared = tmp_path / "many", {"REDIS_URL": redis.url}
    with (
        RealServer(data, **shared) as first,
        RealServer(data, **shared) as second,
        RealWorker(data, **shared),
        RealWorker(data, **shared),
        ThreadPoolExecutor(len(paths)) as pool,
    ):
        servers = [first, second]
        sent = [
            pool.submit(servers[number % 2].put, path, name)
            for number, (name, path) in enumerate(paths.items())
        ]
        assert {future.result()[0] for future in sent} == {201}
        assert {model["status"] for model in second.list_models().values()} == {"ok"}
        assert list_edges_of(second) == expected


def list_edges_of(server: RealServer) -> dict[tuple[str, str], tuple[Any, ...]]:
    """As ``list_edges`` does."""
    names = {model["id"]: name for name, model in server.list_models().items()}
    edges = {}
    for family in server.ask("GET", "/api/families")[1]["families"]:
        for edge in server.ask("GET", f"/api/families/{family['id']}/tree")[1]["edges"]:
            measures = ("relation", "main", "confidence", "coefficient", "distance")
            found = tuple(edge[name] for name in measures)
            edges[names[edge["parent"]], names[edge["child"]]] = found
    return edges
