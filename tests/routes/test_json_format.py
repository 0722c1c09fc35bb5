from __future__ import annotations

import math
from typing import Any

import pytest
from apiflask import Schema
from apiflask.fields import Dict, Float, List
from flask.testing import FlaskClient

from tests.served import MakeApp, check_problem


def test_what_is_no_number_is_null(make_app: MakeApp) -> None:
    app = make_app()

    class Measured(Schema):
        value = Float(allow_none=True, allow_nan=True)
        values = List(Float(allow_nan=True))
        more = Dict()

    found = {"value": math.nan, "values": [1.5, math.inf], "more": {"a": [{"b": -math.inf}]}}

    @app.get("/api/schema")
    @app.output(Measured)
    def by_schema() -> dict[str, Any]:
        return found

    @app.get("/api/plain")
    def plain() -> dict[str, Any]:
        return found

    for path in ("/api/schema", "/api/plain"):
        answer = app.test_client().get(path)
        assert "NaN" not in answer.text
        assert "Infinity" not in answer.text
        assert answer.get_json() == {
            "value": None,
            "values": [1.5, None],
            "more": {"a": [{"b": None}]},
        }


@pytest.mark.parametrize(
    "body",
    ['{"name": NaN}', '{"name": -Infinity}', "[" * 200_000, '{"name": ' + "9" * 5000 + "}", "{"],
    ids=["nan", "infinity", "deep", "long", "open"],
)
def test_what_is_no_json_is_refused(client: FlaskClient, body: str) -> None:
    answer = client.patch("/api/models/m", data=body, content_type="application/json")
    check_problem(answer, 400, "invalid-request")
