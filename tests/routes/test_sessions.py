"""Browsers that sign in with a token: their cookies, and what ends them."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from model_heritage_backend.models.account_tables import BrowserSession
from model_heritage_backend.models.database import now
from model_heritage_backend.routes.sessions import COOKIE
from model_heritage_backend.services.access import Role
from tests.routes.signing import EVIL, OWN, Headers, bear, make_token, read_cookie, sign_in
from tests.served import MakeApp, check_problem, get_service


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    return make_app(access="login")


def test_a_browser_signs_in_and_out(app: APIFlask) -> None:
    client = app.test_client()
    check_problem(client.get("/api/session"), 401, "not-signed-in")
    token = make_token(app, Role.EDITOR)
    answer = sign_in(client, token, headers=OWN)
    assert answer.status_code == 200
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/api", "Max-Age=43200"} <= set(cookie.split("; "))
    assert token not in cookie + answer.get_data(as_text=True)
    said = client.get("/api/session").get_json()
    assert (said["role"], said["name"]) == ("editor", "a editor")
    with client.get("/api/lineage/export?format=json") as download:
        assert download.status_code == 200
    assert client.delete("/api/session", headers=OWN).status_code == 204
    assert client.get("/api/session").status_code == 401


def test_cookies_of_https_stay_there(app: APIFlask) -> None:
    secure, token = {"Origin": "https://localhost"}, make_token(app)
    for headers, is_secure in ((secure, True), (OWN, False)):
        answer = sign_in(app.test_client(), token, headers=headers)
        assert ("Secure" in answer.headers["Set-Cookie"]) is is_secure


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        (EVIL, 403),
        (EVIL | {"X-Requested-With": "x"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:8000"}, 403),
        (OWN, 404),
        ({"X-Requested-With": "x"}, 404),
    ],
)
def test_changes_with_a_cookie_come_from_own_pages(
    make_app: MakeApp, headers: Headers, status: int
) -> None:
    for origins in ((), ("*",)):
        app = make_app(access="token", cors_origins=origins)
        client = app.test_client()
        sign_in(client, make_token(app))
        answer = client.delete("/api/models/m_x", headers=headers)
        assert answer.status_code == status, (origins, answer.get_data(as_text=True))
        # Programs send no cookies, and browsers no tokens of their own accord.
        bearing = client.delete("/api/models/m_x", headers=bear(make_token(app)))
        assert bearing.status_code == 404


def test_a_session_ends_with_its_token(app: APIFlask) -> None:
    client, access = app.test_client(), get_service(app).access
    row, text = access.create("laptop", Role.ADMIN, days=None)
    sign_in(client, text)
    assert client.get("/api/stats").status_code == 200
    _, other = access.create("other", Role.ADMIN, days=None)
    assert len(client.get("/api/sessions").get_json()["sessions"]) == 1
    access.tokens.revoke(row.id)
    check_problem(client.get("/api/stats"), 401, "not-signed-in")
    assert client.get("/api/sessions", headers=bear(other)).get_json()["sessions"] == []


def test_forged_and_old_sessions(app: APIFlask) -> None:
    row, text = get_service(app).access.create("laptop", Role.ADMIN, days=None)
    client = app.test_client()
    cookie = read_cookie(sign_in(client, text))
    with get_service(app)._database.write() as session:
        begun = session.query(BrowserSession).one()
        begun.expires_at = now()
    for said in (cookie, row.id, begun.id, begun.secret_hash, "", "x.y.z"):
        client = app.test_client()
        client.set_cookie(COOKIE, said, path="/api")
        assert client.get("/api/stats").status_code == 401, said


def test_signing_out_makes_the_cookie_void(app: APIFlask) -> None:
    client = app.test_client()
    cookie = read_cookie(sign_in(client, make_token(app, Role.VIEWER)))
    assert client.delete("/api/session", headers=OWN).status_code == 204
    thief = app.test_client()
    thief.set_cookie(COOKIE, cookie, path="/api")
    check_problem(thief.get("/api/stats"), 401, "not-signed-in")


def test_sessions_outlive_a_restart(make_app: MakeApp) -> None:
    app = make_app(access="token")
    cookie = read_cookie(sign_in(app.test_client(), make_token(app)))
    again = make_app(access="token").test_client()
    again.set_cookie(COOKIE, cookie, path="/api")
    assert again.get("/api/stats").status_code == 200
