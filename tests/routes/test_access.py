"""Who may ask for what, with ``access: token`` or ``login``."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from apiflask import APIFlask

from model_heritage_backend.models.database import now
from model_heritage_backend.models.tables import ApiToken
from model_heritage_backend.services.access import Role
from model_heritage_backend.services.attempts import LIMIT
from tests.routes.signing import OWN, bear, make_token, sign_in
from tests.served import MakeApp, check_problem, get_service

CHANGES = ("post", "put", "patch", "delete")
READS = ("get", "head")
TO_SIGN_IN = "POST /api/session"
OPEN = {
    "GET /api/health",
    "GET /api/ready",
    "GET /api/access",
    "POST /api/access/setup",
    "POST /api/session",
    "POST /api/session/password",
}
OF_VIEWERS = {
    "DELETE /api/session",
    "PUT /api/session/password",
    "DELETE /api/sessions/{session_id}",
    "POST /api/session/tokens",
    "DELETE /api/session/tokens/{token_id}",
}
"""Changes that every token may make: nothing of the lake changes."""
OF_ADMINS = {
    "DELETE /api/families/{family_id}",
    "GET /api/owners",
    "POST /api/clustering/recluster",
    "POST /api/clustering/full-rebuild",
    "POST /api/imports",
    "POST /api/maintenance/cleanup",
    "GET /api/maintenance/upkeep",
    "GET /api/tokens",
    "POST /api/tokens",
    "GET /api/tokens/{token_id}",
    "DELETE /api/tokens/{token_id}",
    "GET /api/audit",
    "GET /api/settings",
    "GET /api/users",
    "POST /api/users",
    "GET /api/users/{user_id}",
    "PATCH /api/users/{user_id}",
    "DELETE /api/users/{user_id}",
}


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    """With users, too; servers with tokens alone are those that tests make themselves."""
    return make_app(access="login")


@pytest.fixture
def tokens(app: APIFlask) -> dict[Role, str]:
    return {role: make_token(app, role) for role in Role}


def fill(path: str) -> str:
    """An address of this path, of things that are not there."""
    path = path.replace("{number}", "1").replace("{other}", "2")
    return path.replace("{", "x_").replace("}", "")


def list_operations(app: APIFlask, tokens: dict[Role, str]) -> list[tuple[str, str, str]]:
    """(name, method, an address) of everything in the OpenAPI document."""
    answer = app.test_client().get("/api/openapi.json", headers=bear(tokens[Role.VIEWER]))
    paths = answer.get_json()["paths"]
    found = [
        (f"{method.upper()} {path}", method, fill(path))
        for path, operations in paths.items()
        for method in operations
        if method != "options"
    ]
    assert len(found) > 60
    return found


def test_without_a_token_nothing_is_answered(app: APIFlask, tokens: dict[Role, str]) -> None:
    client = app.test_client()
    for name, method, path in list_operations(app, tokens):
        # If-Match must not tell what is there either.
        for headers in ({}, {"If-Match": '"x"'}, OWN, {"X-HTTP-Method-Override": method.upper()}):
            answer = client.open(path, method=method.upper(), headers=headers)
            if name not in OPEN:
                assert answer.status_code == 401, (name, headers, answer.status_code)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        refused = client.open(path, method=method.upper(), headers=bear("mh_" + "0" * 12))
        assert name in OPEN or refused.status_code in (401, 429), name


def test_a_viewer_changes_nothing(app: APIFlask, tokens: dict[Role, str]) -> None:
    client, changes = app.test_client(), 0
    for name, method, path in list_operations(app, tokens):
        if method in CHANGES and name not in OPEN | OF_VIEWERS:
            answer = client.open(path, method=method.upper(), headers=bear(tokens[Role.VIEWER]))
            check_problem(answer, 403, "not-allowed")
            changes += 1
    assert changes > 20


def test_editors_and_admins(app: APIFlask, tokens: dict[Role, str]) -> None:
    client = app.test_client()
    for name, method, path in list_operations(app, tokens):
        if name in OF_ADMINS:
            answer = client.open(path, method=method.upper(), headers=bear(tokens[Role.EDITOR]))
            check_problem(answer, 403, "not-allowed")
        elif "/events" not in path and "/owners/" not in path:
            answer = client.open(path, method=method.upper(), headers=bear(tokens[Role.EDITOR]))
            assert answer.status_code not in (401, 403, 500), (name, answer.status_code)
    answer = client.delete("/api/families/f_x", headers=bear(tokens[Role.ADMIN]))
    check_problem(answer, 404, "not-found")


def test_the_document_tells_roles(app: APIFlask, tokens: dict[Role, str]) -> None:
    spec = app.test_client().get("/api/openapi.json", headers=bear(tokens[Role.VIEWER])).get_json()
    told = {
        f"{method.upper()} {path}": operation.get("x-role")
        for path, operations in spec["paths"].items()
        for method, operation in operations.items()
        if method != "options"
    }
    assert {name for name, role in told.items() if role == "admin"} == OF_ADMINS
    assert {name for name, role in told.items() if role == "anyone"} == OPEN
    for name, role in told.items():
        if name not in OF_ADMINS | OPEN | OF_VIEWERS:
            usual = "viewer" if name.split()[0].lower() in READS else "editor"
            assert role == usual, name
    assert set(spec["security"][0]) == {"token"}


def test_a_new_route_is_protected(make_app: MakeApp) -> None:
    app = make_app(access="token")

    @app.route("/elsewhere")
    @app.route("/api/new", methods=["GET", "POST"])
    @app.doc(hide=True)
    def tell() -> str:
        return "secret"

    client, viewer = app.test_client(), bear(make_token(app, Role.VIEWER))
    assert client.get("/api/new").status_code == 401
    assert client.get("/elsewhere").status_code == 401
    assert client.post("/api/new", headers=viewer).status_code == 403
    assert client.get("/api/new", headers=viewer).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nothing", "/api/docs", "/api/openapi.json", "/api/metrics"]
)
def test_what_is_not_there_is_told_to_no_one(app: APIFlask, path: str) -> None:
    check_problem(app.test_client().get(path), 401, "not-signed-in")


def test_pages_and_preflights_need_no_token(app: APIFlask) -> None:
    client = app.test_client()
    with client.get("/") as page:
        assert page.status_code in (200, 503)
    with client.get("/models") as page:
        assert page.status_code in (200, 503)
    asked = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "PATCH"}
    assert client.options("/api/models/m", headers=asked).status_code == 200


def test_revoked_and_expired_tokens_are_refused(app: APIFlask) -> None:
    client, access = app.test_client(), get_service(app).access
    row, text = access.create("laptop", Role.ADMIN, days=None)
    assert client.get("/api/stats", headers=bear(text)).status_code == 200
    access.tokens.revoke(row.id)
    assert (
        "revoked"
        in check_problem(client.get("/api/stats", headers=bear(text)), 401, "not-signed-in")[
            "detail"
        ]
    )
    row, text = access.create("old", Role.ADMIN, days=1)
    with get_service(app)._database.write() as session:
        session.get_one(ApiToken, row.id).expires_at = now()
    assert (
        "expired"
        in check_problem(client.get("/api/stats", headers=bear(text)), 401, "not-signed-in")[
            "detail"
        ]
    )


def test_a_token_is_not_taken_from_an_address(app: APIFlask, tokens: dict[Role, str]) -> None:
    client, token = app.test_client(), tokens[Role.ADMIN]
    for name in ("token", "access_token", "api_key"):
        assert client.get(f"/api/stats?{name}={token}").status_code == 401


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t.upper()])
def test_nearly_a_token(app: APIFlask, change: Callable[[str], str]) -> None:
    token = make_token(app)
    answer = app.test_client().get("/api/stats", headers=bear(change(token)))
    check_problem(answer, 401, "not-signed-in")
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert app.test_client().get("/api/stats", headers=bear(flipped)).status_code == 401


def test_guessing_is_held_back(app: APIFlask, tokens: dict[Role, str]) -> None:
    client = app.test_client()
    guess = "mh_" + "0" * 12 + "_" + "A" * 43
    for _ in range(LIMIT):
        assert sign_in(client, guess).status_code == 401
    answer = client.get("/api/stats", headers=bear(guess))
    check_problem(answer, 429, "too-many-attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert sign_in(client, tokens[Role.ADMIN]).status_code == 429
    elsewhere = {"environ_base": {"REMOTE_ADDR": "10.0.0.9"}}
    assert sign_in(client, tokens[Role.ADMIN], **elsewhere).status_code == 200


def test_addresses_behind_a_proxy(make_app: MakeApp) -> None:
    for trusted, status in ((0, 429), (1, 401)):
        app = make_app(access="token", trusted_proxies=trusted)
        client = app.test_client()
        for number in range(LIMIT + 1):
            headers = {"X-Forwarded-For": f"10.0.0.{number}"}
            answer = client.post("/api/session", json={"token": "x"}, headers=headers)
        assert answer.status_code == status


def test_tokens_are_never_logged(
    app: APIFlask, tokens: dict[Role, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client, admin = app.test_client(), bear(tokens[Role.ADMIN])
    made = client.post("/api/tokens", json={"name": "x", "role": "viewer"}, headers=admin)
    texts = [*tokens.values(), made.get_json()["token"], "mh_wrong_wrong_wrong"]
    for text in texts:
        sign_in(client, text)
        client.post("/api/session", json={"token": text, "more": 1})
        client.get("/api/stats", headers=bear(text))
        client.get("/api/models/nothing", headers=bear(text))
    for text in texts:
        assert text not in caplog.text
    with get_service(app)._database.read() as session:
        kept = " ".join(str(vars(row)) for row in session.query(ApiToken))
    assert not any(text in kept for text in texts)


def test_admins_make_list_and_revoke_tokens(app: APIFlask, tokens: dict[Role, str]) -> None:
    client, admin = app.test_client(), bear(tokens[Role.ADMIN])
    body = {"name": "CI", "role": "editor", "expires_in_days": 30}
    made = client.post("/api/tokens", json=body, headers=admin)
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    shown = client.get(made.headers["Location"], headers=admin).get_json()
    assert (shown["name"], shown["role"], shown["state"]) == ("CI", "editor", "valid")
    assert shown["last_used_at"] is None
    text = made.get_json()["token"]
    assert client.get("/api/stats", headers=bear(text)).status_code == 200
    listed = client.get("/api/tokens", headers=admin).get_json()["tokens"]
    assert len(listed) == 4
    assert next(t for t in listed if t["id"] == shown["id"])["last_used_at"] is not None
    assert text not in str(listed)
    assert client.delete(made.headers["Location"], headers=admin).status_code == 204
    assert client.delete(made.headers["Location"], headers=admin).status_code == 204
    assert client.get("/api/stats", headers=bear(text)).status_code == 401
    check_problem(client.delete("/api/tokens/t_x", headers=admin), 404, "not-found")
    for wrong in (
        {"name": "\n"},
        {"role": "root"},
        {"expires_in_days": 0},
        {"expires_in_days": 30.5},
        {"expires_in_days": True},
    ):
        assert client.post("/api/tokens", json=body | wrong, headers=admin).status_code == 400
    # In JSON, this is a whole number.
    whole = client.post("/api/tokens", json=body | {"expires_in_days": 30.0}, headers=admin)
    assert whole.status_code == 201


def test_changes_are_recorded(app: APIFlask, tokens: dict[Role, str]) -> None:
    client, admin = app.test_client(), bear(tokens[Role.ADMIN])
    gone = client.delete("/api/models/m_x", headers=admin)
    client.delete("/api/models/m_y", headers=bear(tokens[Role.VIEWER]))
    client.delete("/api/models/m_z")
    client.get("/api/stats", headers=admin)
    page = client.get("/api/audit?limit=1", headers=admin).get_json()
    (refused,) = page["entries"]
    assert (refused["name"], refused["path"], refused["status"]) == (
        "a viewer",
        "/api/models/m_y",
        403,
    )
    rest = client.get(f"/api/audit?before={page['next_before']}", headers=admin).get_json()
    (first,) = rest["entries"]
    assert (first["method"], first["status"], rest["next_before"]) == ("DELETE", 404, None)
    assert first["request_id"] == gone.headers["X-Request-Id"]
    assert tokens[Role.ADMIN].startswith(f"mh_{first['actor'][2:]}_")


def test_the_record_of_changes_by_who_and_what(app: APIFlask, tokens: dict[Role, str]) -> None:
    client, admin = app.test_client(), bear(tokens[Role.ADMIN])
    client.delete("/api/models/m_x", headers=admin)
    client.patch("/api/models/m_y", json={"name": "y"}, headers=admin)
    client.delete("/api/models/m_z", headers=bear(tokens[Role.VIEWER]))

    def find(query: str) -> list[str]:
        found = client.get(f"/api/audit?{query}", headers=admin).get_json()["entries"]
        return [entry["path"][-1] for entry in found]

    assert find("") == find("who=") == ["z", "y", "x"]
    assert find("method=DELETE") == ["z", "x"]
    assert find("who=VIEW") == ["z"]
    assert find("who=a%20_iewer") == []
    actor = client.get("/api/audit?method=PATCH", headers=admin).get_json()["entries"][0]["actor"]
    assert find(f"who={actor}") == ["y", "x"]
    assert find(f"who={actor}&method=DELETE") == ["x"]
    assert client.get("/api/audit?method=GET", headers=admin).status_code == 400


def test_open_access_asks_nobody(make_app: MakeApp) -> None:
    client = make_app().test_client()
    said = client.get("/api/session").get_json()
    assert (said["access"], said["role"], said["token_id"]) == ("open", "admin", None)
    assert client.delete("/api/session").status_code == 204
    assert client.get("/api/tokens").get_json() == {"tokens": []}
    assert client.get("/api/audit").get_json()["entries"] == []
    # What is made while everybody may come in must not outlast it.
    body = {"name": "x", "role": "admin"}
    check_problem(client.post("/api/tokens", json=body), 409, "not-configured")
    check_problem(client.post("/api/session", json={"token": "x"}), 409, "not-configured")
