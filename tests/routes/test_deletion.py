"""Owners, quotas, and deleting much at once: what follows is told before, and is what follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from model_heritage_backend.models.tables import Job
from model_heritage_backend.services.access import Role
from model_heritage_backend.services.heritage_service import HeritageService
from tests.routes.resuming import announce
from tests.routes.signing import bear
from tests.served import (
    MakeApp,
    check_problem,
    get_service,
    list_edges,
    list_files,
    list_models,
    sign,
    upload,
    wait_for_jobs,
)

MEMBERS = ("base", "noisy", "rotated", "noisy-rotated")


def fill(client: FlaskClient, zoo: Zoo, names: tuple[str, ...], **options: Any) -> dict[str, str]:
    """Uploads; ids by name."""
    ids = {}
    for name in names:
        answer = upload(client, zoo.path(name), name=name, **options)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        ids[name] = answer.get_json()["model_id"]
    return ids


def list_blobs(service: HeritageService) -> list[str]:
    return list_files(service.files.data_dir)["blobs"]


def test_what_follows_from_deleting_a_model(client: FlaskClient, zoo_family: Zoo) -> None:
    ids = fill(client, zoo_family, MEMBERS)
    edges = list_edges(client)
    children = sorted({child for parent, child in edges if parent == "noisy"})
    assert children
    told = client.get(f"/api/models/{ids['noisy']}/deletion").get_json()
    assert told["models"] == 1
    assert told["bytes"] == zoo_family.path("noisy").stat().st_size
    assert [child["name"] for child in told["children"]] == children
    assert (told["families"], told["families_ended"], told["statements"]) == (1, 0, 0)
    assert set(list_models(client)) == set(MEMBERS)
    check_problem(client.get("/api/models/m_x/deletion"), 404, "not-found")


def test_a_family_is_deleted_with_its_files(
    client: FlaskClient, service: HeritageService, zoo_family: Zoo, strangers: list[Path]
) -> None:
    ids = fill(client, zoo_family, MEMBERS)
    assert upload(client, strangers[0], name="stranger").status_code == 201
    family = client.get(f"/api/models/{ids['base']}").get_json()["family_id"]
    reason = {"kind": "root", "author": "ada", "reason": "it is"}
    client.put(f"/api/models/{ids['base']}/constraints", json=reason)
    told = client.get(f"/api/families/{family}/deletion").get_json()
    size = sum(zoo_family.path(name).stat().st_size for name in MEMBERS)
    row = service.lake.get(ids["base"]).row
    (service.files.data_dir / "blobs" / row.checksum).write_bytes(b"rotten")
    assert not service.sound_files.check(row.checksum)
    assert (told["models"], told["bytes"], told["families_ended"]) == (4, size, 1)
    assert (told["children"], told["statements"]) == ([], 1)
    answer = client.delete(f"/api/families/{family}")
    assert answer.status_code == 202
    wait_for_jobs(client)
    job = client.get(answer.headers["Location"]).get_json()
    assert (job["kind"], job["state"]) == ("delete", "done"), job
    assert (job["result"]["models_deleted"], job["result"]["bytes_freed"]) == (4, size)
    assert set(list_models(client)) == {"stranger"}
    assert len(list_blobs(service)) == 1
    check_problem(client.get(f"/api/families/{family}"), 404, "not-found")
    # The same bytes may come again, and nobody takes them for those that were rotten.
    again = fill(client, zoo_family, MEMBERS[:1])
    assert client.get(f"/api/models/{again['base']}/download").status_code == 200


def test_models_of_several_are_solved_again_as_from_scratch(
    make_app: MakeApp, zoo_family: Zoo
) -> None:
    app = make_app(access="token")
    service, client = get_service(app), app.test_client()
    (first, mine), (second, yours) = (
        service.access.create(name, Role.EDITOR, days=1) for name in ("mine", "yours")
    )
    admin = bear(service.access.create("root", Role.ADMIN, days=1)[1])
    fill(client, zoo_family, ("base", "rotated"), headers=bear(mine))
    ids = fill(client, zoo_family, ("noisy", "noisy-rotated"), headers=bear(yours))
    shown = client.get(f"/api/models/{ids['noisy']}", headers=admin).get_json()
    assert shown["owner"] == {"id": second.id, "name": "yours"}
    answer = client.get("/api/owners", headers=admin).get_json()
    assert {one["name"]: one["models"] for one in answer["owners"]} == {"mine": 2, "yours": 2}
    # What others brought is theirs and the admins'.
    refused = client.delete(f"/api/models/{ids['noisy']}", headers=bear(mine))
    check_problem(refused, 403, "not-allowed")
    for path in (f"/api/owners/{second.id}/deletion", f"/api/owners/{second.id}/models"):
        method = "GET" if path.endswith("deletion") else "DELETE"
        answer = client.open(path, method=method, headers=bear(mine))
        check_problem(answer, 403, "not-allowed")
    told = client.get(f"/api/owners/{first.id}/deletion", headers=bear(mine)).get_json()
    assert (told["models"], told["children_total"]) == (2, 2)
    answer = client.delete(f"/api/owners/{first.id}/models", headers=bear(mine))
    assert answer.status_code == 202
    looking = sign(app.test_client(), admin)
    wait_for_jobs(looking)
    left = list_edges(looking)
    assert len(list_blobs(service)) == 2
    service.management.recluster_all_models()
    assert list_edges(looking) == left
    assert client.delete(f"/api/models/{ids['noisy']}", headers=bear(yours)).status_code == 204
    check_problem(
        client.delete(f"/api/owners/{first.id}/models", headers=bear(mine)), 404, "not-found"
    )


def test_what_editors_may_not_ask_for_they_may_not_repeat(
    make_app: MakeApp, zoo_family: Zoo
) -> None:
    app = make_app(access="token")
    service, client = get_service(app), app.test_client()
    (first, mine), (_, yours) = (
        service.access.create(name, Role.EDITOR, days=1) for name in ("mine", "yours")
    )
    admin = bear(service.access.create("root", Role.ADMIN, days=1)[1])
    ids = fill(client, zoo_family, ("base",), headers=bear(mine))
    family = client.get(f"/api/models/{ids['base']}", headers=admin).get_json()["family_id"]
    with service._executor.paused():
        # The thread takes the first job and waits for its turn; the others are queued.
        client.post("/api/clustering/recluster", headers=admin)
        whole = client.delete(f"/api/families/{family}", headers=admin).headers["Location"]
        answer = client.delete(f"/api/owners/{first.id}/models", headers=bear(mine))
        own = answer.headers["Location"]
        for job, who in ((whole, mine), (own, yours)):
            check_problem(client.delete(job, headers=bear(who)), 403, "not-allowed")
        assert client.delete(whole, headers=admin).status_code == 204
        assert client.delete(own, headers=bear(mine)).status_code == 204
        for job, who in ((whole, mine), (own, yours)):
            answer = client.post(f"{job}/retry", headers=bear(who))
            check_problem(answer, 403, "not-allowed")
    # The same file, from somebody else: it is not theirs whose models are deleted.
    service.deletion.delete_model(ids["base"])
    fill(client, zoo_family, ("base",), headers=bear(yours))
    assert client.post(f"{own}/retry", headers=bear(mine)).status_code == 202
    looking = sign(app.test_client(), admin)
    wait_for_jobs(looking)
    assert set(list_models(looking)) == {"base"}


def pass_by(share: float, stage: str) -> None:
    """Nobody looks at the progress."""


def test_a_deletion_that_was_cut_goes_on(
    app: APIFlask, zoo_family: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, client = get_service(app), app.test_client()
    ids = fill(client, zoo_family, MEMBERS)
    family = client.get(f"/api/models/{ids['base']}").get_json()["family_id"]
    job = Job(parameters={"models": [ids["base"], ids["noisy"]], "families": [family]})
    removed: list[str] = []
    remove = service.store.remove_model

    def cut(model_id: str) -> None:
        if removed:
            raise KeyboardInterrupt
        removed.append(model_id)
        remove(model_id)

    monkeypatch.setattr(service.store, "remove_model", cut)
    with pytest.raises(KeyboardInterrupt):
        service.deletion.work(job, pass_by)
    assert len(list_blobs(service)) == 3
    monkeypatch.undo()
    result = service.deletion.work(job, pass_by)
    assert (result["models_deleted"], result["models_updated"]) == (1, 2)
    assert set(list_models(client)) == {"rotated", "noisy-rotated"}
    left = list_edges(client)
    service.management.recluster_all_models()
    assert list_edges(client) == left
    assert len(list_blobs(service)) == 2


def test_no_more_is_kept_than_the_settings_say(make_app: MakeApp, zoo_family: Zoo) -> None:
    size = zoo_family.path("base").stat().st_size
    for limits, whose in (
        ({"max_models": 1}, "This server keeps 1 of 1 models"),
        ({"max_storage_bytes": 3 * size // 2}, "This server keeps"),
        ({"max_models_per_owner": 1}, "You keep 1 of 1 models"),
        ({"max_bytes_per_owner": 3 * size // 2}, "You keep"),
    ):
        app = make_app(access="token", **limits)
        service, client = get_service(app), app.test_client()
        mine, yours = (bear(service.access.create("x", Role.EDITOR, days=1)[1]) for _ in range(2))
        ids = fill(client, zoo_family, ("base",), headers=mine)
        for name in ("noisy", "rotated"):
            refused = upload(client, zoo_family.path(name), name=name, headers=mine)
            assert whose in check_problem(refused, 507, "quota-exceeded")["detail"]
        assert len(list_blobs(service)) == 1
        announced = announce(client, size, headers=mine)
        check_problem(announced, 507, "quota-exceeded")
        other = upload(client, zoo_family.path("noisy"), name="noisy", headers=yours)
        assert other.status_code == (201 if "owner" in str(limits) else 507)
        for model in [*ids.values(), (other.get_json() or {}).get("model_id")]:
            if model is not None:
                service.deletion.delete_model(model)
        fill(client, zoo_family, ("rotated",), headers=mine)
        service.deletion.delete_model(service.lake.list_page().views[0].row.id)


def test_two_uploads_do_not_share_the_last_place(
    make_app: MakeApp, zoo_family: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place is counted again where the row is made."""
    app = make_app(max_models=1)
    service = get_service(app)
    check, seen = service.quotas.check, 0

    def check_late(owner_id: str | None, size: int) -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            fill(app.test_client(), zoo_family, ("noisy",))
            return
        check(owner_id, size)

    monkeypatch.setattr(service.quotas, "check", check_late)
    answer = upload(app.test_client(), zoo_family.path("base"), name="base")
    check_problem(answer, 507, "quota-exceeded")
    assert len(list_blobs(service)) == 1
