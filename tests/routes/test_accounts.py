"""Users, passwords, the first admin, sessions, and what a proxy says."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from model_heritage_backend.config import Settings, load_settings
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.services import passwords
from model_heritage_backend.services.access import Role
from model_heritage_backend.services.attempts import LIMIT
from tests.served import MakeApp, check_problem, get_service

OWN = {"Origin": "http://localhost"}
PASSWORD = "correct horse battery"
OTHER = "staple of a longer word"
PROXY = {"REMOTE_ADDR": "10.1.0.9"}


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "LOG_N", 4)


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    app = make_app(access="login")
    accounts = get_service(app).accounts
    for role in Role:
        accounts.create(f"a-{role}", role, PASSWORD)
    return app


def sign_in(app: APIFlask, name: str, password: str = PASSWORD) -> tuple[FlaskClient, TestResponse]:
    client = app.test_client()
    body = {"name": name, "password": password}
    return client, client.post("/api/session/password", json=body, headers=OWN)


def enter(app: APIFlask, name: str, password: str = PASSWORD) -> FlaskClient:
    client, answer = sign_in(app, name, password)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return client


def get_id(app: APIFlask, name: str) -> str:
    row = get_service(app).accounts.users.find_by_name(name)
    assert row is not None
    return row.id


def test_the_first_admin_is_made_once(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    app = make_app(access="login")
    client = app.test_client()
    assert client.get("/api/access").get_json() == {"access": "login", "awaits_setup": True}
    (said,) = [r.getMessage() for r in caplog.records if "first admin" in r.msg]
    code = said.rsplit(" ", 1)[1]
    body = {"code": code, "name": "ada", "password": PASSWORD}
    wrong = client.post("/api/access/setup", json=body | {"code": "x"})
    check_problem(wrong, 403, "not-allowed")
    short = client.post("/api/access/setup", json=body | {"password": "short"})
    check_problem(short, 400, "invalid-request")
    answer = client.post("/api/access/setup", json=body, headers=OWN)
    assert answer.status_code == 201
    assert answer.get_json()["role"] == "admin"
    assert client.get("/api/users").get_json()["users"][0]["name"] == "ada"
    assert client.get("/api/access").get_json()["awaits_setup"] is False
    check_problem(client.post("/api/access/setup", json=body, headers=OWN), 409, "conflict")
    assert enter(make_app(access="login"), "ada").get("/api/stats").status_code == 200
    assert caplog.text.count("first admin") == 1


def test_guessing_the_code_is_held_back(make_app: MakeApp) -> None:
    client = make_app(access="login").test_client()
    body = {"code": "x", "name": "ada", "password": PASSWORD}
    for _ in range(LIMIT):
        assert client.post("/api/access/setup", json=body).status_code == 403
    check_problem(client.post("/api/access/setup", json=body), 429, "too-many-attempts")


def test_people_sign_in(app: APIFlask) -> None:
    client, answer = sign_in(app, "A-Editor")
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/api"} <= set(cookie.split("; "))
    said = client.get("/api/session").get_json()
    assert (said["access"], said["role"], said["name"]) == ("login", "editor", "a-editor")
    assert said["user_id"] == get_id(app, "a-editor")
    assert client.get("/api/users").status_code == 403
    for name, password in (("a-editor", OTHER), ("nobody", PASSWORD), ("a-editor", " " + PASSWORD)):
        _, refused = sign_in(app, name, password)
        assert check_problem(refused, 401, "not-signed-in")["detail"] == (
            "The name or the password is wrong."
        )
        assert "Set-Cookie" not in refused.headers


def test_a_session_changes_nothing_for_other_sites(app: APIFlask) -> None:
    client = enter(app, "a-admin")
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = client.delete("/api/models/m_x", headers=headers)
        check_problem(answer, 403, "foreign-origin")
    assert client.delete("/api/models/m_x", headers=OWN).status_code == 404


def test_guessing_passwords_is_held_back(app: APIFlask) -> None:
    for _ in range(LIMIT):
        assert sign_in(app, "a-admin", OTHER)[1].status_code == 401
    refused = sign_in(app, "a-admin")[1]
    check_problem(refused, 429, "too-many-attempts")
    assert int(refused.headers["Retry-After"]) > 0


def test_one_name_from_many_addresses(app: APIFlask) -> None:
    client, statuses = app.test_client(), []
    for number in range(40):
        answer = client.post(
            "/api/session/password",
            json={"name": "a-admin", "password": OTHER},
            environ_base={"REMOTE_ADDR": f"10.0.{number}.1"},
        )
        statuses.append(answer.status_code)
    assert statuses == [401] * 30 + [429] * 10


def test_people_change_their_password(app: APIFlask) -> None:
    client, elsewhere = enter(app, "a-viewer"), enter(app, "a-viewer")
    path, body = "/api/session/password", {"old": PASSWORD, "new": OTHER}
    assert client.put(path, json=body | {"old": OTHER}, headers=OWN).status_code == 403
    assert client.put(path, json=body, headers=OWN).status_code == 204
    for each in (client, elsewhere):
        check_problem(each.get("/api/stats"), 401, "not-signed-in")
    assert sign_in(app, "a-viewer")[1].status_code == 401
    enter(app, "a-viewer", OTHER)


def test_admins_look_after_users(app: APIFlask) -> None:
    admin = enter(app, "a-admin")
    body = {"name": "eve", "role": "viewer", "password": PASSWORD}
    made = admin.post("/api/users", json=body, headers=OWN)
    assert made.status_code == 201
    place = made.headers["Location"]
    assert "password" not in str(made.get_json()).replace("has_password", "")
    check_problem(
        admin.post("/api/users", json=body | {"name": "EVE"}, headers=OWN), 409, "conflict"
    )
    eve = enter(app, "eve")
    assert admin.patch(place, json={"role": "admin"}, headers=OWN).get_json()["role"] == "admin"
    assert eve.get("/api/users").status_code == 200
    assert admin.patch(place, json={"disabled": True}, headers=OWN).get_json()["disabled"] is True
    assert eve.get("/api/stats").status_code == 401
    assert sign_in(app, "eve")[1].status_code == 401
    admin.patch(place, json={"disabled": False, "password": OTHER}, headers=OWN)
    assert eve.get("/api/stats").status_code == 401
    eve = enter(app, "eve", OTHER)
    assert admin.delete(place, headers=OWN).status_code == 204
    assert eve.get("/api/stats").status_code == 401
    check_problem(admin.get(place), 404, "not-found")


@pytest.mark.parametrize("name", ["", "a b", "a\n", "a" * 101, "a/b", "ä", "a,b"])
def test_names_that_are_none(app: APIFlask, name: str) -> None:
    body = {"name": name, "role": "viewer", "password": PASSWORD}
    answer = enter(app, "a-admin").post("/api/users", json=body, headers=OWN)
    check_problem(answer, 400, "invalid-request")


@pytest.mark.parametrize(
    "password", ["a" * 12, "elsa-elsa-1", "elsamaria-12", "x" * 201, "a\nb" * 9]
)
def test_passwords_that_are_none(app: APIFlask, password: str) -> None:
    body = {"name": "elsamaria", "role": "viewer", "password": password}
    answer = enter(app, "a-admin").post("/api/users", json=body, headers=OWN)
    check_problem(answer, 400, "invalid-request")


def test_there_is_always_an_admin(app: APIFlask) -> None:
    admin, place = enter(app, "a-admin"), f"/api/users/{get_id(app, 'a-admin')}"
    for change in ({"role": "editor"}, {"disabled": True}):
        check_problem(admin.patch(place, json=change, headers=OWN), 409, "conflict")
    check_problem(admin.delete(place, headers=OWN), 409, "conflict")
    assert admin.get(place).get_json()["role"] == "admin"


def test_sessions_are_listed_and_ended(app: APIFlask) -> None:
    admin, eve, other = (enter(app, name) for name in ("a-admin", "a-viewer", "a-viewer"))
    assert len(admin.get("/api/sessions").get_json()["sessions"]) == 3
    seen = eve.get("/api/sessions").get_json()["sessions"]
    assert [each["name"] for each in seen] == ["a-viewer"] * 2
    assert sorted(each["present"] for each in seen) == [False, True]
    (elsewhere,) = (each["id"] for each in seen if not each["present"])
    own = admin.get("/api/session").get_json()["session_id"]
    assert eve.delete(f"/api/sessions/{own}", headers=OWN).status_code == 404
    assert eve.delete(f"/api/sessions/{elsewhere}", headers=OWN).status_code == 204
    assert other.get("/api/stats").status_code == 401
    assert eve.get("/api/stats").status_code == 200
    # One that began with a token of theirs is theirs, too.
    _, text = get_service(app).access.create(
        "laptop", Role.VIEWER, days=1, user_id=get_id(app, "a-viewer")
    )
    laptop = app.test_client()
    assert laptop.post("/api/session", json={"token": text}, headers=OWN).status_code == 200
    for asked in (eve, laptop):
        seen = asked.get("/api/sessions").get_json()["sessions"]
        assert sorted(each["name"] for each in seen) == ["a-viewer", "laptop"]
    (own,) = (each["id"] for each in seen if each["present"])
    assert laptop.delete(f"/api/sessions/{own}", headers=OWN).status_code == 204


def test_a_token_of_a_user_may_no_more_than_the_user(app: APIFlask) -> None:
    service, client = get_service(app), app.test_client()
    user = get_id(app, "a-editor")
    _, text = service.access.create("laptop", Role.ADMIN, days=None, user_id=user)
    bearing = {"Authorization": f"Bearer {text}"}
    assert client.get("/api/session", headers=bearing).get_json()["role"] == "editor"
    body = {"old": PASSWORD, "new": OTHER}
    answer = client.put("/api/session/password", json=body, headers=bearing)
    check_problem(answer, 409, "not-configured")
    service.accounts.change(user, disabled=True)
    assert client.get("/api/session", headers=bearing).status_code == 401
    service.accounts.change(user, disabled=False)
    service.accounts.users.remove(user)
    assert client.get("/api/session", headers=bearing).status_code == 401


def test_the_record_names_users(app: APIFlask) -> None:
    admin = enter(app, "a-admin")
    admin.delete("/api/models/m_x", headers=OWN)
    entries = admin.get("/api/audit").get_json()["entries"]
    assert [(e["name"], e["method"], e["path"]) for e in entries] == [
        ("a-admin", "DELETE", "/api/models/m_x"),
        ("a-admin", "POST", "/api/session/password"),
    ]
    assert entries[0]["actor"] == get_id(app, "a-admin")
    assert PASSWORD not in str(entries)


def test_passwords_are_never_logged_nor_kept(
    app: APIFlask, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    caplog.set_level(logging.DEBUG)
    enter(app, "a-admin")
    sign_in(app, "a-admin", OTHER)
    for text in (PASSWORD, OTHER):
        assert text not in caplog.text
        assert not any(
            text.encode() in path.read_bytes() for path in settings.data_dir.glob("app.db*")
        )


@pytest.mark.parametrize("access", ["open", "token"])
def test_other_kinds_of_access_have_no_users(make_app: MakeApp, access: str) -> None:
    app = make_app(access=access)
    client = app.test_client()
    body = {"name": "eve", "password": PASSWORD}
    check_problem(client.post("/api/session/password", json=body), 409, "not-configured")
    check_problem(
        client.post("/api/access/setup", json=body | {"code": "x"}), 409, "not-configured"
    )
    assert client.get("/api/access").get_json() == {"access": access, "awaits_setup": False}


def make_behind_proxy(make_app: MakeApp, **changes: Any) -> APIFlask:
    settings = load_settings(
        access="login", user_header="X-Forwarded-User", user_header_from="10.1.0.0/24,::1"
    )
    names = ("access", "user_header", "user_header_from", "user_header_role")
    return make_app(**{name: getattr(settings, name) for name in names} | changes)


def test_a_trusted_proxy_names_the_user(make_app: MakeApp) -> None:
    app = make_behind_proxy(make_app)
    client, named = app.test_client(), {"X-Forwarded-User": "eve@example.org"}
    said = client.get("/api/session", headers=named, environ_base=PROXY).get_json()
    assert (said["name"], said["role"]) == ("eve@example.org", "viewer")
    get_service(app).accounts.create("root", Role.ADMIN, PASSWORD)
    get_service(app).accounts.change(get_id(app, "eve@example.org"), role=Role.ADMIN)
    assert client.get("/api/users", headers=named, environ_base=PROXY).status_code == 200
    # The proxy's cookie comes along whoever made the browser ask, too.
    answer = client.delete("/api/models/m_x", headers=named, environ_base=PROXY)
    check_problem(answer, 403, "foreign-origin")
    answer = client.delete("/api/models/m_x", headers=named | OWN, environ_base=PROXY)
    assert answer.status_code == 404
    for wrong in ("eve, root", "root\x80", "a b"):
        answer = client.get("/api/session", headers={"X-Forwarded-User": wrong}, environ_base=PROXY)
        assert answer.status_code == 401, wrong
    get_service(app).accounts.change(get_id(app, "eve@example.org"), disabled=True)
    assert client.get("/api/session", headers=named, environ_base=PROXY).status_code == 401


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("10.1.1.9", {}),
        ("127.0.0.1", {}),
        ("::ffff:10.2.0.9", {}),
        ("not an address", {}),
        ("192.0.2.7", {"X-Forwarded-For": "10.1.0.9"}),
        ("192.0.2.7", {"X-Real-IP": "10.1.0.9", "Forwarded": "for=10.1.0.9"}),
    ],
)
def test_nobody_else_names_a_user(make_app: MakeApp, address: str, headers: dict[str, str]) -> None:
    app = make_behind_proxy(make_app, trusted_proxies=1)
    get_service(app).accounts.create("root", Role.ADMIN, PASSWORD)
    forged = {"X-Forwarded-User": "root", **headers}
    answer = app.test_client().get(
        "/api/session", headers=forged, environ_base={"REMOTE_ADDR": address}
    )
    check_problem(answer, 401, "not-signed-in")


def test_a_header_without_a_proxy_is_refused(tmp_path: Path, plain_environment: None) -> None:
    for options in ({}, {"access": "login"}, {"user_header_from": "10.0.0.1"}):
        with pytest.raises(InvalidRequest, match="user_header"):
            load_settings(data_dir=tmp_path, user_header="X-Forwarded-User", **options)
