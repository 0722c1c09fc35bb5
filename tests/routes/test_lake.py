from __future__ import annotations

from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from tests.served import list_models


def test_totals(full_client: FlaskClient, zoo_family: Zoo) -> None:
    totals = full_client.get("/api/stats").get_json()
    models = list_models(full_client)
    assert totals["total_models"] == len(models) == len(zoo_family.ids) + 4
    assert totals["total_families"] == 5
    assert totals["total_parameters"] == sum(m["total_parameters"] for m in models.values())
    assert totals["total_bytes"] == sum(m["file_size"] for m in models.values())
    assert sum(totals["relations"].values()) == totals["total_edges"]
    assert 0 < totals["resolved_edges"] <= totals["total_edges"]
    assert totals["processing"] == totals["errors"] == 0
    assert totals["largest_families"][0]["size"] == len(zoo_family.ids)


def test_totals_in_the_specifications_words(full_client: FlaskClient) -> None:
    totals = full_client.get("/api/stats").get_json()
    told = full_client.get("/api/system/stats").get_json()["system_stats"]
    assert told["total_models"] == totals["total_models"]
    assert told["total_families"] == totals["total_families"]
    assert told["total_lineage_edges"] == totals["total_edges"]
    assert told["avg_family_cohesion"] > 0


def test_everything_of_nothing(client: FlaskClient) -> None:
    assert client.get("/api/stats").get_json()["mean_confidence"] is None
    assert client.get("/api/system/stats").get_json()["system_stats"]["avg_family_cohesion"] is None
    assert client.get("/api/jobs").get_json() == {"jobs": [], "total": 0, "next_cursor": None}
    assert client.get("/api/clustering/statistics").status_code == 200
