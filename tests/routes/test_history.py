"""A family's history over HTTP: every change is told with its cause."""

from __future__ import annotations

import json
from typing import Any

from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from tests.served import MakeApp, check_problem, list_models, upload, wait_for_jobs

ANN = {"author": "Ann", "reason": "I trained it."}


def get(client: FlaskClient, path: str) -> Any:
    answer = client.get(f"/api/families/{path}")
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def describe(client: FlaskClient, family: str) -> str:
    """The tree, byte for byte, without times."""
    tree = get(client, f"{family}/tree")
    for node in tree["nodes"]:
        del node["created_at"], node["processed_at"]
    return json.dumps(tree)


def test_a_family_is_told_from_its_beginning(make_app: MakeApp, zoo_family: Zoo) -> None:
    client = make_app().test_client()
    for name in ("base", "noisy", "rotated"):
        upload(client, zoo_family.path(name), name=name)
    ids = {name: model["id"] for name, model in list_models(client).items()}
    family = client.get(f"/api/models/{ids['base']}").get_json()["family_id"]
    former = describe(client, family)

    stated = client.put(
        f"/api/models/{ids['rotated']}/constraints",
        json=ANN | {"kind": "confirm", "parent": ids["noisy"]},
    ).get_json()
    corrected = describe(client, family)
    assert corrected != former

    # After a restart, and from scratch: the same; and then as if nothing had been said.
    client = make_app().test_client()
    client.post("/api/clustering/recluster")
    wait_for_jobs(client)
    assert describe(client, family) == corrected
    assert get(client, f"{family}/revisions")["total"] == 4, "what changes nothing is none"
    client.delete(f"/api/constraints/{stated['constraint']['id']}?author=Bob")
    assert describe(client, family) == former

    split = client.post(f"/api/families/{family}/split", json=ANN | {"models": [ids["noisy"]]})
    other = split.get_json()["tree"]["family_id"]
    client.delete(split.headers["Location"])
    client.patch(f"/api/families/{family}", json={"name": "Bases", "author": "Ann"})
    client.delete(f"/api/models/{ids['rotated']}")

    told = get(client, f"{family}/revisions")
    causes = [revision["cause"] for revision in told["revisions"]]
    assert causes == [
        "deletion", "naming", "retraction", "correction", "retraction", "correction",
        "upload", "upload", "upload",
    ]  # fmt: skip
    assert told["next_cursor"] is None
    numbers = [revision["number"] for revision in told["revisions"]]
    assert numbers == list(range(9, 0, -1))
    first_page = get(client, f"{family}/revisions?limit=4")
    rest = get(client, f"{family}/revisions?limit=200&cursor={first_page['next_cursor']}")
    assert first_page["revisions"] + rest["revisions"] == told["revisions"]
    correction = told["revisions"][5]
    assert (correction["author"], correction["reason"]) == ("Ann", "I trained it.")
    assert correction["summary"] == "Changed when Ann confirmed noisy as the parent of rotated."

    # Families that fall apart and come together name each other.
    assert told["revisions"][3]["went_to"] == told["revisions"][2]["came_from"] == [other]
    gone = get(client, f"{other}/revisions")["revisions"]
    assert [(r["size"], r["came_from"], r["went_to"]) for r in gone] == [
        (0, [], [family]),
        (1, [family], []),
    ]
    check_problem(client.get(f"/api/families/{other}/tree"), 404, "not-found")

    # As it was: also of models that are gone.
    as_it_was = get(client, f"{family}/revisions/4")
    assert as_it_was["revision"] == correction
    assert {node["name"] for node in as_it_was["nodes"]} == {"base", "noisy", "rotated"}
    edges = {edge["child"]: edge for edge in as_it_was["edges"]}
    assert edges[ids["rotated"]]["parent"] == ids["noisy"]
    assert edges[ids["rotated"]]["evidence"]["stated_by"] == "Ann"
    assert get(client, f"{family}/revisions/8")["name"] == "Bases"

    found = get(client, f"{family}/revisions/4/diff/3")
    assert found == get(client, f"{family}/revisions/3/diff/4")
    [moved] = [edge for edge in found["edges"] if edge["change"] == "moved"]
    before = moved["before"]["confidence"]
    assert moved["why"] == (
        f"rotated's parent changed from base ({before:.2f}) to noisy (stated by Ann) "
        "when Ann confirmed noisy as the parent of rotated."
    )
    found = get(client, f"{family}/revisions/2/diff/9")
    assert found["members"] == [], "it came and went"
    found = get(client, f"{family}/revisions/4/diff/9")
    [went] = found["members"]
    assert (went["name"], went["change"], went["revision"]) == ("rotated", "went", 9)
    assert went["why"] == "rotated left the family when rotated was deleted."
    assert (found["before"]["name"], found["after"]["name"]) == ("Family of base", "Bases")
    assert get(client, f"{family}/revisions/2/diff/2")["edges"] == []

    for path in ("f_x/revisions", f"{family}/revisions/99", f"{family}/revisions/1/diff/99"):
        check_problem(client.get(f"/api/families/{path}"), 404, "not-found")
    large = 2**63
    assert client.get(f"/api/families/{family}/revisions/{large}").status_code == 404
    assert client.get(f"/api/families/{family}/revisions?cursor={large}").status_code == 400
