from __future__ import annotations

from flask.testing import FlaskClient

from tests.served import list_models


def test_distributions_of_a_real_family(full_client: FlaskClient) -> None:
    told = full_client.get("/api/stats/distributions").get_json()
    models = list_models(full_client).values()
    assert sum(place["models"] for place in told["arrivals"]["counts"]) == len(models)
    assert sum(place["models"] for place in told["formats"]) == len(models)
    assert sum(place["models"] for place in told["parameters"]) == len(models)
    assert sum(place["families"] for place in told["family_sizes"]) == 5
    children = [model for model in models if model["parent_id"]]
    assert sum(place["edges"] for place in told["confidence"]) == len(children)
    storage = told["storage"]
    decided = [model for model in children if model["confidence_score"] >= 0.5]
    assert storage["models"] == len(decided)
    assert storage["bytes"] == sum(model["file_size"] for model in decided)
    assert 0 < storage["saved_bytes"] < storage["bytes"]
    saved = {place["relation"]: place["saved_bytes"] for place in storage["relations"]}
    copied = {model["relation"]: model["file_size"] for model in decided}
    assert saved["duplicate"] == copied["duplicate"]
    assert saved["finetune"] == 0
    # The second answer is the first one, from memory.
    assert full_client.get("/api/stats/distributions").get_json() == told


def test_distributions_of_nothing(client: FlaskClient) -> None:
    told = client.get("/api/stats/distributions").get_json()
    assert told["formats"] == told["parameters"] == told["storage"]["relations"] == []
    assert told["storage"]["saved_bytes"] == 0
    assert len(told["calibration"]) == len(told["confidence"]) == 10
