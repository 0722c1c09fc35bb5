from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.served import MakeApp, check_problem

EVIL = "https://evil.example"
FRONT_END = "http://localhost:5173"


def test_every_answer_is_guarded(client: FlaskClient) -> None:
    for path in ("/api/health", "/api/nothing", "/api/docs", "/"):
        with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "script-src 'self';" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"


def test_other_sites_may_not_read(client: FlaskClient) -> None:
    allowed = client.get("/api/health", headers={"Origin": FRONT_END})
    assert allowed.headers["Access-Control-Allow-Origin"] == FRONT_END
    refused = client.get("/api/health", headers={"Origin": EVIL})
    assert refused.headers.get("Access-Control-Allow-Origin") in (None, FRONT_END)


def test_preflight(client: FlaskClient) -> None:
    asked = {"Access-Control-Request-Method": "PATCH"}
    answer = client.options("/api/models/m", headers={"Origin": FRONT_END, **asked})
    assert answer.status_code == 200
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_sites_may_not_change(client: FlaskClient, method: str) -> None:
    path = "/api/models/m" if method == "DELETE" else "/api/models"
    answer = client.open(path, method=method, headers={"Origin": EVIL}, data=b"x")
    check_problem(answer, 403, "foreign-origin")
    opaque = client.open(path, method=method, headers={"Origin": "null"}, data=b"x")
    check_problem(opaque, 403, "foreign-origin")


@pytest.mark.parametrize("origin", [FRONT_END, "http://localhost", "https://localhost", None])
def test_own_pages_and_programs_may(client: FlaskClient, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    assert client.delete("/api/models/m", headers=headers).status_code == 404


def test_a_star_opens_the_server(make_app: MakeApp) -> None:
    client = make_app(cors_origins=("*",)).test_client()
    answer = client.delete("/api/models/m", headers={"Origin": EVIL})
    assert answer.status_code == 404
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", EVIL)
