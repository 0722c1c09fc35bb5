"""What tests of signing in do again and again."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from model_heritage_backend.services.access import Role
from tests.served import get_service

OWN = {"Origin": "http://localhost"}
EVIL = {"Origin": "https://evil.example"}
Headers = dict[str, str]


def make_token(app: APIFlask, role: Role = Role.ADMIN, *, days: int | None = 1) -> str:
    return get_service(app).access.create(f"a {role}", role, days=days)[1]


def bear(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def sign_in(client: FlaskClient, token: str, **options: Any) -> TestResponse:
    return client.post("/api/session", json={"token": token}, **options)


def read_cookie(answer: TestResponse) -> str:
    return answer.headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
