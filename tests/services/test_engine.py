from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.genealogy import choose_threshold
from tests.served import MakeApp, get_service, list_edges, list_models, upload, wait_for_jobs


@pytest.fixture(autouse=True)
def usual_threshold() -> Iterator[None]:
    yield
    choose_threshold()


def fill(client: FlaskClient, zoo: Zoo) -> None:
    for name in ("base", "noisy", "wide"):
        if name in zoo.ids:
            upload(client, zoo.path(name), name=name)


def test_methods_of_the_settings(make_app: MakeApp, zoo_family: Zoo) -> None:
    options = {
        "tree_method": "mother",
        "distance_metric": "cosine_similarity",
        "clustering_method": "threshold",
        "family_threshold": 0.5,
        "lambda_param": 0.1,
        "cache_distances": False,
        "structural_threshold": 0.5,
    }
    app = make_app(**options)
    fill(app.test_client(), zoo_family)
    system = get_service(app).management
    told = system.get_system_statistics()
    assert told["tree_method"] == "mother"
    assert told["clustering_method"] == "threshold"
    assert told["distance_metric"] == "cosine_similarity"
    assert system.tree_builder.lambda_param == 0.1
    assert system.family_clustering.family_threshold == 0.5
    assert system.family_clustering.screens.structural_threshold == 0.5


def test_nothing_is_remembered_of_pairs(make_app: MakeApp, zoo_family: Zoo) -> None:
    trees = []
    for remember in (True, False):
        app = make_app(cache_distances=remember)
        client = app.test_client()
        if remember:
            fill(client, zoo_family)
        else:
            client.post("/api/clustering/recluster")
            wait_for_jobs(client)
        pairs = get_service(app).management.tree_builder.pairs
        assert bool(pairs.details or pairs.evidence or pairs._latest) is remember
        trees.append(list_edges(client))
    assert trees[0] == trees[1]


def test_what_counts_as_unresolved(make_app: MakeApp, zoo_family: Zoo) -> None:
    client = make_app().test_client()
    fill(client, zoo_family)
    edges = len(list_edges(client))
    assert edges
    for threshold, resolved in ((0.0, edges), (1.0, 0)):
        client = make_app(confidence_threshold=threshold).test_client()
        assert client.get("/api/stats").get_json()["resolved_edges"] == resolved
        (family,) = client.get("/api/families").get_json()["families"]
        assert family["unresolved_count"] == edges - resolved
        tree = client.get(f"/api/families/{family['id']}/tree").get_json()
        assert sum(edge["resolved"] for edge in tree["edges"]) == resolved


def test_screens_of_the_settings(make_app: MakeApp, zoo_family: Zoo) -> None:
    """With lines that nothing crosses a newcomer is sure, with others it is not."""
    for uncertain, options in (
        (False, {"uncertainty_threshold": 2.0}),
        (True, {"uncertainty_threshold": 0.0, "validation_factor": 1e-9}),
    ):
        app = make_app(**options)
        fill(app.test_client(), zoo_family)
        model = list_models(app.test_client())["base"]["id"]
        app.test_client().post(f"/api/models/{model}/reprocess")
        (job, *_) = wait_for_jobs(app.test_client())
        found = job["result"]["candidates"]
        assert found
        assert {candidate["uncertain"] for candidate in found} == {uncertain}
