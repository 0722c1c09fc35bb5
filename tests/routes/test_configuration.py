from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from tests.served import MakeApp


def test_settings_in_force(make_app: MakeApp) -> None:
    options: dict[str, Any] = {
        "neo4j_password": SecretStr("horse"),
        "neo4j_url": "bolt://graph:7687",
        "threads": 4,
    }
    answer = make_app(**options).test_client().get("/api/settings")
    assert "horse" not in answer.get_data(as_text=True)
    rows = {row["name"]: row for row in answer.get_json()["settings"]}
    assert rows["threads"] == {
        "name": "threads",
        "value": 4,
        "unit": "",
        "origin": "command",
        "place": "threads",
        "help": "Requests that are answered at the same time",
    }
    assert rows["port"]["origin"] == "default"
    assert rows["neo4j_password"]["value"] == "********"
