from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from tests.served import MakeApp, check_problem, get_service, list_edges, list_models, upload


@pytest.fixture
def largest(full_client: FlaskClient) -> dict[str, Any]:
    family: dict[str, Any] = full_client.get("/api/families").get_json()["families"][0]
    return family


def test_list(full_client: FlaskClient, zoo_family: Zoo) -> None:
    answer = full_client.get("/api/families").get_json()
    assert answer["total"] == len(answer["families"]) == 5
    assert [family["size"] for family in answer["families"]] == [len(zoo_family.ids), 1, 1, 1, 1]
    assert answer["families"][0]["name"] == "Family of base"


def test_one(full_client: FlaskClient, largest: dict[str, Any]) -> None:
    assert full_client.get(f"/api/families/{largest['id']}").get_json() == largest


def test_models(full_client: FlaskClient, largest: dict[str, Any], zoo_family: Zoo) -> None:
    answer = full_client.get(f"/api/families/{largest['id']}/models").get_json()
    assert answer["family_id"] == largest["id"]
    assert [model["name"] for model in answer["models"]] == sorted(zoo_family.ids)


def test_tree(full_client: FlaskClient, largest: dict[str, Any], zoo_family: Zoo) -> None:
    tree = full_client.get(f"/api/families/{largest['id']}/tree").get_json()
    names = {node["id"]: node["name"] for node in tree["nodes"]}
    assert set(names.values()) == set(zoo_family.ids)
    assert names[tree["root_id"]] == "base"
    assert tree["method"] == "heritage"
    main = [edge for edge in tree["edges"] if edge["main"]]
    assert len(main) == len(names) - 1
    assert {names[edge["child"]] for edge in main} == set(zoo_family.ids) - {"base"}
    for edge in tree["edges"]:
        assert 0 <= edge["confidence"] <= 1
        assert edge["distance"] >= 0
        assert edge["resolved"] == (edge["confidence"] >= 0.5)
    [merge] = [edge for edge in tree["edges"] if not edge["main"]]
    assert names[merge["child"]] == "noisy-rotated"


def test_genealogy(full_client: FlaskClient, largest: dict[str, Any]) -> None:
    answer = full_client.get(f"/api/families/{largest['id']}/genealogy").get_json()
    assert answer["family"] == largest
    assert len(answer["models"]) == largest["size"]
    assert answer["tree"]["root_id"] == largest["root_id"]
    assert answer["statistics"]


@pytest.mark.parametrize("path", ["", "/models", "/tree", "/genealogy"])
def test_unknown(full_client: FlaskClient, path: str) -> None:
    check_problem(full_client.get(f"/api/families/f_nothing{path}"), 404, "not-found")


@pytest.mark.parametrize("path", ["tree/rebuild", "rebuild-lineage"])
def test_rebuild(client: FlaskClient, zoo_family: Zoo, path: str) -> None:
    for name in ("base", "noisy"):
        upload(client, zoo_family.path(name), name=name)
    before = list_edges(client)
    family_id = list_models(client)["base"]["family_id"]
    answer = client.post(f"/api/families/{family_id}/{path}")
    assert answer.status_code == 200
    body = answer.get_json()
    assert (body["status"], body["family_id"], body["models_updated"]) == ("success", family_id, 2)
    assert body["tree_statistics"]
    assert client.get(f"/api/jobs/{body['job_id']}").get_json()["state"] == "done"
    assert list_edges(client) == before
    check_problem(client.post(f"/api/families/f_nothing/{path}"), 404, "not-found")


def test_rebuild_that_takes_long(make_app: MakeApp, zoo_family: Zoo) -> None:
    app = make_app()
    client = app.test_client()
    family_id = upload(client, zoo_family.path("base")).get_json()["family_id"]
    client = make_app(synchronous_seconds=0.0).test_client()
    answer = client.post(f"/api/families/{family_id}/tree/rebuild")
    assert (answer.status_code, answer.get_json()["status"]) == (202, "queued")


@pytest.mark.parametrize(
    ("path", "solved", "updated"),
    [("recluster", 0, 0), ("full-rebuild", 0, 0), ("recluster?force=true", 2, 3)],
)
def test_recluster(
    client: FlaskClient,
    zoo_family: Zoo,
    strangers: list[Any],
    path: str,
    solved: int,
    updated: int,
) -> None:
    for name in ("base", "noisy"):
        upload(client, zoo_family.path(name), name=name)
    upload(client, strangers[0], name="stranger")
    before, families = list_edges(client), client.get("/api/families").get_json()["total"]
    answer = client.post(f"/api/clustering/{path}")
    assert answer.status_code == 202
    job_id = answer.get_json()["job_id"]
    assert answer.headers["Location"] == f"/api/jobs/{job_id}"
    assert answer.get_json()["estimated_duration"] is None
    # Whatever is asked for next is done afterwards.
    client.post(f"/api/models/{list_models(client)['base']['id']}/reprocess")
    job = client.get(f"/api/jobs/{job_id}").get_json()
    assert (job["state"], job["progress"]) == ("done", 1.0)
    counts = {"families": 2, "families_solved": solved, "models_updated": updated}
    assert job["result"] == {"status": "success"} | counts
    assert list_edges(client) == before
    assert client.get("/api/families").get_json()["total"] == families == 2
    again = client.post(f"/api/clustering/{path}").get_json()
    assert again["estimated_duration"] == "less than a minute"


def test_one_waiting_recluster_serves_all(client: FlaskClient, zoo_family: Zoo) -> None:
    with get_service(client.application)._executor.paused():
        ids = [client.post("/api/clustering/recluster").get_json()["job_id"] for _ in range(5)]
    # The first may have been taken up before the second came.
    assert len(set(ids)) <= 2


def test_statistics(full_client: FlaskClient, zoo_family: Zoo) -> None:
    statistics = full_client.get("/api/clustering/statistics").get_json()["statistics"]
    assert statistics["total_models"] == len(zoo_family.ids) + 4
    assert statistics["total_families"] == 5
    assert statistics["tree_method"] == "heritage"
