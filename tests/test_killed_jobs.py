"""Jobs of a real server that is killed, as by a power cut, while they run."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from benchmarks.zoo import Zoo
from model_heritage_backend.models.database import Database, open_engine
from model_heritage_backend.models.tables import Job
from tests.databases import get_address
from tests.processes import RealServer
from tests.test_journey import wait_for

ENDLESS_BYTES = 1 << 40
"""Nothing of it takes room on the disk, and reading it takes longer than any test."""
FAMILY = ("base", "noisy", "rotated", "noisy-odd")


@pytest.fixture
def shelf(tmp_path: Path, zoo_family: Zoo, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may be imported: ``family`` with four models behind an endless file, and
    ``endless`` with nothing but such a file."""
    folder = tmp_path / "shelf"
    for name in ("family", "endless"):
        (folder / name).mkdir(parents=True)
        with (folder / name / "a.safetensors").open("wb") as file:
            file.truncate(ENDLESS_BYTES)
    for name in FAMILY:
        path = zoo_family.path(name)
        shutil.copy(path, folder / "family" / f"{name}{path.suffix}")
    monkeypatch.setenv("MODEL_HERITAGE_IMPORT_ROOTS", str(folder))
    return folder


@contextlib.contextmanager
def open_database(data: Path) -> Iterator[Database]:
    database = Database(open_engine(get_address(data)))
    yield database
    database.close()


def start_import(server: RealServer, folder: Path) -> str:
    body = f'{{"folder": "{folder}"}}'.encode()
    status, answer = server.ask(
        "POST", "/api/imports", body, **{"Content-Type": "application/json"}
    )
    assert status == 202
    return str(answer["job_id"])


def look(server: RealServer, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = server.ask("GET", f"/api/jobs/{job_id}")[1]
    return job


def kill_in_the_middle(server: RealServer, job_id: str, *, attempt: int) -> None:
    wait_for(lambda: look(server, job_id)["progress"] > 0, seconds=240)
    job = look(server, job_id)
    assert (job["state"], job["attempts"]) == ("running", attempt)
    server.kill()


def test_killed_in_the_middle_of_a_job(tmp_path: Path, shelf: Path) -> None:
    """What can be finished is finished after the restart; what the server dies of again and again
    is given up after the third time."""
    data = tmp_path / "uploads"
    with RealServer(data) as server:
        family = start_import(server, shelf / "family")
        endless = start_import(server, shelf / "endless")
        kill_in_the_middle(server, family, attempt=1)
    (shelf / "family" / "a.safetensors").unlink()
    with RealServer(data) as server:
        kill_in_the_middle(server, endless, attempt=1)
    with open_database(data) as database, database.write() as session:
        # Another restart to be killed would say the same, and take its time.
        session.execute(update(Job).where(Job.id == endless).values(attempts=2))
    with RealServer(data) as server:
        kill_in_the_middle(server, endless, attempt=3)
    with RealServer(data) as server:
        job = look(server, endless)
        assert job["state"] == "failed"
        assert "3 times" in job["error"]
        job = look(server, family)
        assert (job["state"], job["attempts"], job["result"]["stored"]) == ("done", 2, 4)
        wait_for(lambda: server.ask("GET", "/api/stats")[1]["processing"] == 0, seconds=240)
        models = server.list_models()
        assert set(models) == set(FAMILY)
        assert {model["status"] for model in models.values()} == {"ok"}
        assert len({model["family_id"] for model in models.values()}) == 1
        # A server that is stopped does not wait for those who listen.
        assert server.ask("POST", f"/api/jobs/{endless}/retry")[0] == 202
        connection = server.connect()
        connection.request("GET", f"/api/jobs/{endless}/events")
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        assert answer.readline() == b"retry: 2000\n"
        # Nor is it cut short by somebody who presses Ctrl-C again.
        assert server.stop(presses=4) == 0
        assert b"event: done" not in answer.read()
        connection.close()
    with open_database(data) as database, database.read() as session:
        left = session.execute(select(Job.state, Job.attempts).where(Job.id == endless)).one()
    # Nor does it wait for jobs; and being stopped is no attempt that failed.
    assert left == ("queued", 0)
