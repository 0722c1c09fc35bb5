from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering import reclustering
from model_heritage_backend.clustering.family_tasks import FamilyTask
from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.tables import EdgeEvidence, Family
from model_heritage_backend.services.engine import EngineOptions
from model_heritage_backend.services.heritage_service import HeritageService
from model_heritage_backend.services.solving_crew import SolverLost, SolvingCrew, Workplace
from tests.served import MakeApp, get_service, list_edges, upload, wait_for_jobs


def hire(service: HeritageService) -> SolvingCrew:
    workplace = Workplace.find(service._database, service.files, EngineOptions())
    return SolvingCrew(workplace, processes=2)


def list_tasks() -> Iterator[FamilyTask]:
    while True:
        yield FamilyTask(("m_0123456789abcdef",), (), "name")


def test_a_crew_solves_a_lake_as_it_grew(
    make_app: MakeApp, zoo_family: Zoo, strangers: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(solver_processes=2)
    service, client = get_service(app), app.test_client()
    for name in ("base", "noisy", "noisy-rotated", "half"):
        if name in zoo_family.ids:
            upload(client, zoo_family.path(name), name=name)
    upload(client, strangers[0], name="stranger")
    grown = list_edges(client)
    assert len(grown) >= 2
    count = select(func.count()).select_from(EdgeEvidence)
    with service._database.write() as session:
        known = session.scalar(count)
        session.execute(delete(EdgeEvidence))
    monkeypatch.setattr(reclustering, "MANY", 1)
    job_id = service.recluster(force=True)
    jobs = {job["id"]: job for job in wait_for_jobs(client, seconds=240)}
    assert jobs[job_id]["state"] == "done", jobs[job_id]
    assert jobs[job_id]["result"]["families_solved"] == 2
    assert list_edges(client) == grown
    with service._database.read() as session:
        assert session.scalar(count) == known
        assert all(job_id in str(name) for name in session.scalars(select(Family.solved_from)))
    assert not multiprocessing.active_children()


def test_whoever_must_stop_stops(service: HeritageService) -> None:
    class Interrupted(Exception):
        pass

    def stop() -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        next(hire(service).solve(list_tasks(), beat=stop))
    assert not multiprocessing.active_children()


def test_a_process_that_is_killed_is_told(service: HeritageService) -> None:
    def kill() -> None:
        for process in multiprocessing.active_children():
            process.kill()

    with pytest.raises(SolverLost, match="killed"):
        next(hire(service).solve(list_tasks(), beat=kill))
    assert not multiprocessing.active_children()
    assert SolverLost.transient


def test_what_cannot_be_solved_is_told(service: HeritageService) -> None:
    with pytest.raises(NotFound):
        next(hire(service).solve(list_tasks(), beat=lambda: None))
