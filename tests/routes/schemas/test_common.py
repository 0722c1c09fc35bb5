from __future__ import annotations

import pytest
from apiflask import Schema
from flask.testing import FlaskClient
from marshmallow import ValidationError

from model_heritage_backend.routes.schemas.common import describe_writing
from tests.served import check_problem


class Form(Schema):
    line = describe_writing(5)
    lines = describe_writing(5, lines=True)
    visible = describe_writing(5, visible=True)


@pytest.mark.parametrize(
    ("field", "accepted", "refused"),
    [
        (
            "line",
            ["", " ", "a b", "\N{DNA DOUBLE HELIX}"],
            ["a\n", "\0", "\x85", "\ud800", "abcdef"],
        ),
        ("lines", ["", "a\nb\t", "\r\n"], ["\0", "\x85", "\udfff", "abcdef"]),
        ("visible", ["a", " a ", "-"], ["", " ", "\u2003", "a\n", "a\0", "\ud800", "abcdef"]),
    ],
)
def test_what_people_may_write(field: str, accepted: list[str], refused: list[str]) -> None:
    for text in accepted:
        assert Form().load({field: text}) == {field: text}
    for text in refused:
        with pytest.raises(ValidationError):
            Form().load({field: text})


def test_problems_say_what_is_wrong_and_are_described(client: FlaskClient) -> None:
    body = {"kind": "root", "author": " "}
    answer = client.put("/api/models/m_0/constraints", json=body)
    problem = check_problem(answer, 400, "invalid-request")
    assert "author" in problem["errors"]["json"]
    spec = client.get("/api/openapi.json").get_json()
    assert problem.keys() <= spec["components"]["schemas"]["Problem"]["properties"].keys()
