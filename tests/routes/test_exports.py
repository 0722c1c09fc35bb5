from __future__ import annotations

import itertools
import shutil
import socket
import time
import xml.etree.ElementTree as ET
from typing import Any

import jsonschema
import pytest
import yaml
from flask.testing import FlaskClient
from pydantic import SecretStr

from benchmarks.zoo import Zoo
from model_heritage_backend.interop.export import FORMATS
from tests.interop.lakes import HOSTILE
from tests.interop.readers import READERS, SCHEMA
from tests.models.rows import add_family, make_model
from tests.processor_time import spent_less
from tests.served import MakeApp, check_problem, get_service, list_models


def test_the_lake_and_a_family(full_client: FlaskClient, zoo_family: Zoo) -> None:
    answer = full_client.get("/api/lineage/export")
    document = answer.get_json()
    jsonschema.validate(document, SCHEMA)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="heritage.json"'
    models = list_models(full_client)
    assert {m["id"] for m in document["models"]} == {m["id"] for m in models.values()}
    family = models["base"]["family_id"]
    part = full_client.get(f"/api/lineage/export?format=json&family={family}").get_json()
    assert len(part["models"]) == len(zoo_family.ids)
    assert len(part["edges"]) == len(document["edges"])
    assert [f["stored_id"] for f in part["families"]] == [family]


def test_the_line_of_a_model(full_client: FlaskClient) -> None:
    models = list_models(full_client)
    child = models["noisy-rotated"]
    document = full_client.get(f"/api/lineage/export?model={child['id']}").get_json()
    jsonschema.validate(document, SCHEMA)
    lineage = full_client.get(f"/api/models/{child['id']}/lineage").get_json()
    shown = {model["id"] for model in document["models"]}
    relatives = [*lineage["ancestors"], *lineage["descendants"], *lineage["other_parents"]]
    assert {child["id"], *(relative["id"] for relative in relatives)} <= shown
    assert shown < {model["id"] for model in models.values()}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format(full_client: FlaskClient, name: str) -> None:
    """The same each time, and as a file; what is in it is looked at where it is written."""
    model = list_models(full_client)["noisy-rotated"]["id"]
    url = f"/api/lineage/export?format={name}&model={model}"
    answer = full_client.get(url)
    assert answer.status_code == 200
    assert answer.mimetype == FORMATS[name].media_type
    assert f"heritage.{FORMATS[name].ending}" in answer.headers["Content-Disposition"]
    assert answer.data == full_client.get(url).data
    assert len(answer.data) > 50


def test_cards_and_recipes_of_a_merge(full_client: FlaskClient) -> None:
    models = list_models(full_client)
    merge = models["noisy-rotated"]["id"]
    url = "/api/lineage/export?format="
    card = full_client.get(f"{url}model-card&model={merge}").get_data(as_text=True)
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["base_model_relation"] == "merge"
    assert set(head["base_model"]) == {"noisy", "rotated"}
    recipes = list(yaml.safe_load_all(full_client.get(f"{url}mergekit").data))
    assert merge in [recipe["name"] for recipe in recipes]
    alone = full_client.get(f"/api/models/{merge}/merge-recipe").data
    named = next(recipe for recipe in recipes if recipe["name"] == merge)
    assert yaml.safe_load(alone)["merge_method"] == named["merge_method"]


def test_graphml_has_every_model(full_client: FlaskClient) -> None:
    graphml = full_client.get("/api/lineage/export?format=graphml")
    nodes = ET.fromstring(graphml.data).findall(".//{http://graphml.graphdrawing.org/xmlns}node")
    assert len(nodes) == len(list_models(full_client))


@pytest.mark.parametrize(
    ("query", "status", "problem"),
    [
        ("format=pdf", 400, "invalid-request"),
        ("format=model-card", 400, "invalid-request"),
        ("family=f_nothing&model=m_nothing", 400, "invalid-request"),
        ("family=%00", 400, "invalid-request"),
        ("model=", 400, "invalid-request"),
        ("family=f_nothing", 404, "not-found"),
        ("model=m_nothing&format=csv", 404, "not-found"),
    ],
)
def test_bad_requests(full_client: FlaskClient, query: str, status: int, problem: str) -> None:
    check_problem(full_client.get(f"/api/lineage/export?{query}"), status, problem)


def test_nothing_has_every_format(client: FlaskClient) -> None:
    for name in set(FORMATS) - {"model-card"}:
        assert client.get(f"/api/lineage/export?format={name}").status_code == 200
    assert client.get("/api/lineage/export").get_json()["models"] == []


def test_a_thousand_models_are_written_in_seconds_and_read_elsewhere(client: FlaskClient) -> None:
    """With names and claims that are meant to break what they are written into."""
    database: Any = get_service(client.application)._database
    names = [name for name in HOSTILE if name.isprintable()]
    models = [make_model(n, names[n % len(names)]) for n in range(1, 1001)]
    chains = [f"{(n - 1) // 3}-{n}" for n in range(2, 1001) if n > 3] + ["1-2", "1-3"]
    add_family(database, "f_large", *models)
    with database.write() as session:
        from model_heritage_backend.models.tables import Parentage

        for chain in chains:
            parent, child = chain.split("-")
            session.add(
                Parentage(
                    child_id=f"m_{int(child):03}",
                    parent_id=f"m_{int(parent):03}",
                    family_id="f_large",
                    is_main=True,
                    relation="finetune",
                    distance=0.1,
                    confidence=0.9,
                    evidence={},
                )
            )
    ids = [f"m_{n:03}" for n in range(1, 1001)]
    claims = [
        {"model": id_, "licence": said, "task": said, "tags": [said], "base_model": said}
        for id_, said in zip(ids, itertools.cycle(names), strict=False)
    ]
    assert client.post("/api/claims", json=claims).get_json() == {"applied": 1000, "refused": []}
    assert set(READERS) == set(FORMATS) - {"model-card"}
    for name, read in READERS.items():
        start = time.process_time()
        answer = client.get(f"/api/lineage/export?format={name}")
        assert answer.status_code == 200
        assert spent_less(2, since=start), name
        found = read(answer.get_data(as_text=True))
        if name == "mergekit" or (name == "dot" and shutil.which("gvpr") is None):
            assert found == set()
        else:
            assert found >= set(ids), name
    document = client.get("/api/lineage/export").get_json()
    assert {model.get("licence", "") for model in document["models"]} == {
        name.strip() for name in names
    }
    card = client.get("/api/lineage/export?format=model-card&model=m_1000")
    assert yaml.safe_load(card.get_data(as_text=True).split("---\n")[1])["base_model"]


def test_neo4j_is_not_set_up(client: FlaskClient) -> None:
    problem = check_problem(client.post("/api/lineage/neo4j"), 409, "not-configured")
    assert "neo4j_url" in problem["detail"]
    check_problem(client.post("/api/lineage/neo4j?family=%0a"), 400, "invalid-request")


def test_neo4j_does_not_answer(make_app: MakeApp) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        app = make_app(
            neo4j_url=f"bolt://127.0.0.1:{free.getsockname()[1]}",
            neo4j_password=SecretStr("correct horse"),
        )
        client = app.test_client()
        answer = client.post("/api/lineage/neo4j")
        check_problem(answer, 502, "server-unreachable")
        assert "horse" not in answer.get_data(as_text=True)
        check_problem(client.post("/api/lineage/neo4j?family=f_nothing"), 404, "not-found")
