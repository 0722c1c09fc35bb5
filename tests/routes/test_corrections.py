"""What people know changes the tree in the same answer, and taking it back restores it exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from model_heritage_backend.app import close_app, create_app
from model_heritage_backend.services.access import Role
from tests.databases import make_settings
from tests.routes.signing import bear
from tests.served import (
    MakeApp,
    check_problem,
    get_service,
    list_models,
    upload,
    wait_for_jobs,
)

MEMBERS = ("base", "noisy", "rotated", "noisy-rotated", "base-bf16")
ANN = {"author": "Ann", "reason": "I trained it."}


@pytest.fixture(scope="module")
def client(
    tmp_path_factory: pytest.TempPathFactory, zoo_family: Zoo, strangers: list[Path]
) -> Iterator[FlaskClient]:
    """A family of five and two strangers. Every test leaves it as it was."""
    folder = tmp_path_factory.mktemp("corrected") / "uploads"
    app = create_app(make_settings(folder))
    client = app.test_client()
    for name in MEMBERS:
        upload(client, zoo_family.path(name), name=name)
    for path in strangers[:2]:
        upload(client, path, name=f"stranger-{path.stem}")
    yield client
    close_app(app)


@pytest.fixture(scope="module")
def ids(client: FlaskClient) -> dict[str, str]:
    return {name: model["id"] for name, model in list_models(client).items()}


@pytest.fixture(autouse=True)
def unchanged(client: FlaskClient) -> Iterator[None]:
    before = describe(client)
    yield
    for constraint in list_all(client):
        client.delete(f"/api/constraints/{constraint['id']}")
    assert describe(client) == before


def describe(client: FlaskClient) -> str:
    """All trees, byte for byte, without times."""
    trees = []
    for family in client.get("/api/families").get_json()["families"]:
        tree = client.get(f"/api/families/{family['id']}/tree").get_json()
        for node in tree["nodes"]:
            del node["created_at"], node["processed_at"]
        trees.append(tree)
    return json.dumps(sorted(trees, key=lambda tree: str(tree["family_id"])))


def list_all(client: FlaskClient) -> list[dict[str, Any]]:
    found = {}
    for family in client.get("/api/families").get_json()["families"]:
        answer = client.get(f"/api/families/{family['id']}/constraints").get_json()
        found |= {constraint["id"]: constraint for constraint in answer["constraints"]}
    return list(found.values())


def put(client: FlaskClient, model: str, **body: Any) -> Any:
    return client.put(f"/api/models/{model}/constraints", json=ANN | body)


def find_parents(tree: dict[str, Any]) -> dict[str, str]:
    names = {node["id"]: node["name"] for node in tree["nodes"]}
    return {names[e["child"]]: names[e["parent"]] for e in tree["edges"] if e["main"]}


def get_tree(client: FlaskClient, model: str) -> dict[str, Any]:
    family = client.get(f"/api/models/{model}").get_json()["family_id"]
    tree: dict[str, Any] = client.get(f"/api/families/{family}/tree").get_json()
    return tree


def test_a_confirmed_parent_is_in_the_answer(client: FlaskClient, ids: dict[str, str]) -> None:
    before = find_parents(get_tree(client, ids["base"]))
    answer = put(client, ids["base-bf16"], kind="confirm", parent=ids["rotated"])
    assert answer.status_code == 201
    tree = answer.get_json()["tree"]
    assert find_parents(tree) == before | {"base-bf16": "rotated"}
    [edge] = [edge for edge in tree["edges"] if edge["child"] == ids["base-bf16"]]
    assert (edge["confidence"], edge["evidence"]["stated_by"]) == (1.0, "Ann")
    assert edge["evidence"]["margin"] is None
    constraint = answer.get_json()["constraint"]
    assert answer.headers["Location"] == f"/api/constraints/{constraint['id']}"
    assert client.get(answer.headers["Location"]).get_json() == constraint
    assert (constraint["author"], constraint["reason"]) == ("Ann", "I trained it.")
    assert get_tree(client, ids["base"]) == tree
    back = client.delete(f"/api/models/{ids['base-bf16']}/constraints?kind=confirm").get_json()
    assert find_parents(back["tree"]) == before


def test_it_survives_reclustering_and_rebuilding(client: FlaskClient, ids: dict[str, str]) -> None:
    put(client, ids["base-bf16"], kind="forbid", parent=ids["base"])
    stated = describe(client)
    client.post("/api/clustering/recluster")
    wait_for_jobs(client)
    assert describe(client) == stated
    family = client.get(f"/api/models/{ids['base']}").get_json()["family_id"]
    client.post(f"/api/families/{family}/tree/rebuild")
    assert describe(client) == stated


def test_a_pinned_root(client: FlaskClient, ids: dict[str, str]) -> None:
    tree = put(client, ids["rotated"], kind="root").get_json()["tree"]
    assert tree["root_id"] == ids["rotated"]


def test_strangers_are_joined_by_somebodys_word(client: FlaskClient, ids: dict[str, str]) -> None:
    stranger = next(ids[name] for name in sorted(ids) if name.startswith("stranger"))
    answer = put(client, stranger, kind="confirm", parent=ids["noisy"]).get_json()
    [edge] = [edge for edge in answer["tree"]["edges"] if edge["child"] == stranger]
    assert (edge["relation"], edge["evidence"]["method"]) == ("unresolved", "stated")
    assert len(answer["tree"]["nodes"]) == 6
    others = [edge for edge in answer["tree"]["edges"] if edge["child"] != stranger]
    client.delete(f"/api/constraints/{answer['constraint']['id']}")
    assert get_tree(client, ids["base"])["edges"] == others


def test_a_family_is_split_and_comes_together(client: FlaskClient, ids: dict[str, str]) -> None:
    family = client.get(f"/api/models/{ids['base']}").get_json()["family_id"]
    path = f"/api/families/{family}/split"
    answer = client.post(path, json=ANN | {"models": [ids["rotated"]]})
    assert answer.status_code == 201
    assert [node["name"] for node in answer.get_json()["tree"]["nodes"]] == ["rotated"]
    assert sorted(f["size"] for f in answer.get_json()["families"]) == [1, 4]
    stated = describe(client)
    client.post("/api/clustering/recluster")
    wait_for_jobs(client)
    assert describe(client) == stated
    shown = answer.get_json()["constraint"]
    assert [model["name"] for model in shown["models"]] == ["rotated"]
    assert len(shown["others"]) == 4
    problem = put(client, ids["rotated"], kind="confirm", parent=ids["base"])
    assert shown["id"] in check_problem(problem, 409, "conflict")["constraint_ids"]


def test_the_same_again_takes_its_place(client: FlaskClient, ids: dict[str, str]) -> None:
    first = put(client, ids["noisy"], kind="root")
    again = put(client, ids["noisy"], kind="root", author="Bob")
    assert (first.status_code, again.status_code) == (201, 200)
    [constraint] = list_all(client)
    assert (constraint["id"], constraint["author"]) == (
        first.get_json()["constraint"]["id"],
        "Bob",
    )


def test_contradictions_are_refused_and_named(client: FlaskClient, ids: dict[str, str]) -> None:
    first = put(client, ids["noisy"], kind="confirm", parent=ids["rotated"]).get_json()
    stated = describe(client)
    for model, body in (
        ("noisy", {"kind": "confirm", "parent": ids["base"]}),
        ("noisy", {"kind": "forbid", "parent": ids["rotated"]}),
        ("noisy", {"kind": "root"}),
        ("rotated", {"kind": "confirm", "parent": ids["noisy"]}),
    ):
        problem = check_problem(put(client, ids[model], **body), 409, "conflict")
        assert problem["constraint_ids"] == [first["constraint"]["id"]]
        assert "'rotated'" in problem["detail"] and "by Ann" in problem["detail"]
    assert describe(client) == stated
    assert len(list_all(client)) == 1
    client.delete(f"/api/constraints/{first['constraint']['id']}")
    put(client, ids["base"], kind="root")
    check_problem(put(client, ids["noisy"], kind="root"), 409, "conflict")
    for name in MEMBERS[1:-1]:
        put(client, ids["base-bf16"], kind="forbid", parent=ids[name])
    last = put(client, ids["base-bf16"], kind="forbid", parent=ids["base"])
    assert "split" in check_problem(last, 409, "conflict")["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "confirm"}, 400),
        ({"kind": "root", "parent": "m_x"}, 400),
        ({"kind": "confirm", "parent": "m_x"}, 404),
        ({"kind": "confirm", "parent": "\ud800"}, 400),
        ({"kind": "root", "author": " "}, 400),
        ({"kind": "root", "reason": "\x00"}, 400),
        ({"kind": "never"}, 400),
        ({"kind": "root", "more": 1}, 400),
    ],
)
def test_what_is_no_statement(
    client: FlaskClient, ids: dict[str, str], body: dict[str, Any], status: int
) -> None:
    assert put(client, ids["noisy"], **body).status_code == status
    assert not list_all(client)


def test_unknown_things(client: FlaskClient, ids: dict[str, str]) -> None:
    for ask in (
        client.get("/api/models/m_x/constraints"),
        client.get("/api/constraints/c_x"),
        client.delete("/api/constraints/c_x"),
        client.delete(f"/api/models/{ids['noisy']}/constraints?kind=root"),
        client.get("/api/families/f_x/constraints"),
        client.post("/api/families/f_x/split", json=ANN | {"models": ["m_x"]}),
        client.patch("/api/families/f_x", json={"name": "x"}),
        put(client, "m_x", kind="root"),
    ):
        check_problem(ask, 404, "not-found")
    itself = put(client, ids["noisy"], kind="confirm", parent=ids["noisy"])
    check_problem(itself, 400, "invalid-request")
    family = client.get(f"/api/models/{ids['base']}").get_json()["family_id"]
    for models in (["m_x"], [ids[name] for name in MEMBERS]):
        answer = client.post(f"/api/families/{family}/split", json=ANN | {"models": models})
        check_problem(answer, 400, "invalid-request")


def test_a_name_stays_with_the_family(client: FlaskClient, ids: dict[str, str]) -> None:
    family = client.get(f"/api/models/{ids['base']}").get_json()["family_id"]
    named = client.patch(f"/api/families/{family}", json={"name": "The Bases", "author": "Ann"})
    assert (named.get_json()["name"], named.get_json()["given_name"]) == ("The Bases",) * 2
    client.post("/api/clustering/recluster")
    wait_for_jobs(client)
    assert client.get(f"/api/models/{ids['noisy']}").get_json()["family_name"] == "The Bases"
    split = client.post(f"/api/families/{family}/split", json=ANN | {"models": [ids["rotated"]]})
    names = {f["size"]: f["name"] for f in split.get_json()["families"]}
    assert names == {4: "The Bases", 1: "Family of rotated"}
    back = client.patch(f"/api/families/{family}", json={"name": None})
    assert back.get_json()["name"] == "Family of base"
    for name in ("", "a\x00", "\ud800"):
        assert client.patch(f"/api/families/{family}", json={"name": name}).status_code == 400


def test_nobody_signs_for_another(make_app: MakeApp, zoo_family: Zoo) -> None:
    app = make_app(access="token")
    _, text = get_service(app).access.create("Bob", Role.EDITOR, days=1)
    client, bob = app.test_client(), bear(text)
    for name in ("base", "noisy"):
        answer = upload(client, zoo_family.path(name), name=name, headers=bob).get_json()
    model = f"/api/models/{answer['model_id']}"
    body = {"kind": "root", **ANN}
    stated = client.put(f"{model}/constraints", json=body, headers=bob).get_json()
    assert stated["constraint"]["author"] == "Bob"
    family = client.get(model, headers=bob).get_json()["family_id"]
    client.patch(f"/api/families/{family}", json={"name": "X", "author": "Ann"}, headers=bob)
    client.delete(f"/api/constraints/{stated['constraint']['id']}?author=Ann", headers=bob)
    done = client.get(f"/api/families/{family}/revisions", headers=bob).get_json()["revisions"]
    assert [each["author"] for each in done] == ["Bob", "Bob", "Bob", None, None]
