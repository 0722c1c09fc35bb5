"""Tokens of people's own: made, seen and revoked by them alone, and never more than they may."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from model_heritage_backend.services import access
from model_heritage_backend.services.access import Role
from tests.routes.signing import OWN, bear
from tests.served import MakeApp, check_problem, get_service

PASSWORD = "four quiet words here"
PATH = "/api/session/tokens"


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    app = make_app(access="login")
    for name, role in (("ada", Role.ADMIN), ("eve", Role.EDITOR), ("vic", Role.VIEWER)):
        get_service(app).accounts.create(name, role, PASSWORD)
    return app


def sign_in(app: APIFlask, name: str) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/api/session/password", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200
    return client


def make(client: FlaskClient, role: str, **more: Any) -> Any:
    return client.post(PATH, json={"name": "a script", "role": role, **more}, headers=OWN)


def test_made_used_seen_revoked(app: APIFlask) -> None:
    eve = sign_in(app, "eve")
    made = make(eve, "viewer", expires_in_days=7)
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    token = made.get_json()
    user_id = eve.get("/api/session").get_json()["user_id"]
    assert token["user_id"] == user_id
    assert made.headers["Location"] == f"{PATH}/{token['id']}"
    script = app.test_client()
    told = script.get("/api/session", headers=bear(token["token"])).get_json()
    assert (told["role"], told["user_id"]) == ("viewer", user_id)
    [seen] = eve.get(PATH).get_json()["tokens"]
    assert seen["id"] == token["id"]
    assert "token" not in seen
    # Admins see it, too, and whose it is.
    listed = sign_in(app, "ada").get("/api/tokens").get_json()["tokens"]
    assert [row["user_id"] for row in listed] == [user_id]
    assert eve.delete(f"{PATH}/{token['id']}", headers=OWN).status_code == 204
    assert script.get("/api/session", headers=bear(token["token"])).status_code == 401
    # It stays in the list, and revoking it once more changes nothing.
    assert eve.delete(f"{PATH}/{token['id']}", headers=OWN).status_code == 204
    [seen] = eve.get(PATH).get_json()["tokens"]
    assert seen["state"] == "revoked"


def test_never_more_than_its_maker(app: APIFlask) -> None:
    eve, vic = sign_in(app, "eve"), sign_in(app, "vic")
    for client, roles in ((vic, ("editor", "admin")), (eve, ("admin",))):
        for role in roles:
            check_problem(make(client, role), 403, "not-allowed")
    token = make(eve, "editor").get_json()["token"]
    service = get_service(app)
    user_id = eve.get("/api/session").get_json()["user_id"]
    service.accounts.change(user_id, role=Role.VIEWER)
    told = app.test_client().get("/api/session", headers=bear(token)).get_json()
    assert told["role"] == "viewer"
    service.accounts.change(user_id, disabled=True)
    assert app.test_client().get("/api/session", headers=bear(token)).status_code == 401


def test_of_others_nobody_learns(app: APIFlask) -> None:
    eve, vic = sign_in(app, "eve"), sign_in(app, "vic")
    token_id = make(eve, "editor").get_json()["id"]
    assert vic.get(PATH).get_json() == {"tokens": []}
    check_problem(vic.delete(f"{PATH}/{token_id}", headers=OWN), 404, "not-found")
    check_problem(vic.delete(f"{PATH}/t_nothing", headers=OWN), 404, "not-found")
    # An admin revokes it among all tokens, not among their own.
    ada = sign_in(app, "ada")
    check_problem(ada.delete(f"{PATH}/{token_id}", headers=OWN), 404, "not-found")
    assert ada.delete(f"/api/tokens/{token_id}", headers=OWN).status_code == 204


def test_a_token_makes_no_token(app: APIFlask) -> None:
    token = make(sign_in(app, "ada"), "admin").get_json()["token"]
    client = app.test_client()
    asked = {"name": "more", "role": "viewer"}
    check_problem(client.post(PATH, json=asked, headers=bear(token)), 409, "not-configured")
    check_problem(client.get(PATH, headers=bear(token)), 409, "not-configured")
    # Nor does a session that began with it, nor a page of another site.
    client.post("/api/session", json={"token": token}, headers=OWN)
    check_problem(client.post(PATH, json=asked, headers=OWN), 409, "not-configured")
    eve = sign_in(app, "eve")
    foreign = eve.post(PATH, json=asked, headers={"Origin": "https://evil.example"})
    check_problem(foreign, 403, "foreign-origin")


def test_not_without_bound(app: APIFlask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MOST_OWN", 2)
    eve = sign_in(app, "eve")
    first = make(eve, "viewer").get_json()["id"]
    assert make(eve, "viewer").status_code == 201
    check_problem(make(eve, "viewer"), 409, "conflict")
    eve.delete(f"{PATH}/{first}", headers=OWN)
    assert make(eve, "viewer").status_code == 201


def test_where_nobody_is_asked(make_app: MakeApp) -> None:
    check_problem(make_app().test_client().get(PATH), 409, "not-configured")
