"""Users and passwords, the first admin, and the sessions of browsers."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify

from model_heritage_backend.errors import NotConfigured
from model_heritage_backend.models.account_tables import BrowserSession, User
from model_heritage_backend.routes.access import (
    get_address,
    get_guard,
    get_identity,
    needs,
    open_to_all,
)
from model_heritage_backend.routes.schemas.accounts import (
    AccessShape,
    NewUser,
    PasswordChange,
    PasswordSignIn,
    SessionList,
    SetUp,
    UserChange,
    UserList,
    UserShape,
)
from model_heritage_backend.routes.schemas.tokens import Session
from model_heritage_backend.routes.sessions import forget_cookie
from model_heritage_backend.routes.tokens import show_identity
from model_heritage_backend.routes.views import get_service, show_time
from model_heritage_backend.services.access import Identity, Role

NO_USERS = "This server has no users: the setting access is not login."
NO_PASSWORD = "Whoever came with a token or through a proxy has no password to change here."  # noqa: S105 (a sentence)
blueprint = APIBlueprint("accounts", __name__, tag="Access")


@blueprint.after_request
def forbid_keeping(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/access")
@open_to_all
@blueprint.output(AccessShape)
@blueprint.doc(summary="How one signs in here")
def show_access() -> dict[str, Any]:
    return {"access": get_guard().access, "awaits_setup": get_service().accounts.awaits_setup}


@blueprint.post("/access/setup")
@open_to_all
@blueprint.input(SetUp)
@blueprint.output(Session, status_code=201)
@blueprint.doc(
    summary="Make the first admin, and sign in",
    description="Once, with the code that the server writes to its log while it has no user.",
    responses=[400, 403, 409, 429],
)
def set_up(json_data: dict[str, Any]) -> Response:
    _require_login()
    identity = get_service().accounts.set_up(
        json_data["code"], json_data["name"], json_data["password"], address=get_address()
    )
    response = _sign_in(identity)
    response.status_code = 201
    return response


@blueprint.post("/session/password")
@open_to_all
@blueprint.input(PasswordSignIn)
@blueprint.output(Session)
@blueprint.doc(
    summary="Sign in with name and password, for browsers",
    description="Sets the cookie that `POST /api/session` does.",
    responses=[400, 401, 403, 409, 429],
)
def sign_in_with_password(json_data: dict[str, Any]) -> Response:
    _require_login()
    return _sign_in(
        get_service().accounts.verify(
            json_data["name"], json_data["password"], address=get_address()
        )
    )


@blueprint.put("/session/password")
@needs(Role.VIEWER)
@blueprint.input(PasswordChange)
@blueprint.output({}, status_code=204)
@blueprint.doc(
    summary="Change your password; you are signed out everywhere",
    responses=[400, 403, 409, 429],
)
def change_password(json_data: dict[str, Any]) -> Response:
    _require_login()
    identity = get_identity()
    # A token may be in many hands: it must not take its user's account over.
    if identity.user_id is None or identity.token_id is not None:
        raise NotConfigured(NO_PASSWORD)
    get_service().accounts.change_password(
        identity.user_id, json_data["old"], json_data["new"], address=get_address()
    )
    response = Response(status=204)
    forget_cookie(response)
    return response


@blueprint.get("/sessions")
@blueprint.output(SessionList)
@blueprint.doc(
    summary="In which browsers somebody is signed in, the newest first",
    description="All of them for admins, for others their own.",
)
def list_sessions() -> dict[str, Any]:
    service, identity = get_service(), get_identity()
    found = service.sessions.list_visible(identity)
    names = {row.id: row.name for row in service.accounts.users.list_all()}
    names |= {row.id: row.name for row in service.access.tokens.list_all()}
    return {"sessions": [_show_session(row, names, identity) for row in found]}


@blueprint.delete("/sessions/<session_id>")
@needs(Role.VIEWER)
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="End a session; of others, only admins may", responses=[404])
def end_session(session_id: str) -> tuple[str, int]:
    get_service().sessions.end(session_id, get_identity())
    return "", 204


@blueprint.get("/users")
@needs(Role.ADMIN)
@blueprint.output(UserList)
@blueprint.doc(summary="All users, by name")
def list_users() -> dict[str, Any]:
    return {"users": [show_user(row) for row in get_service().accounts.users.list_all()]}


@blueprint.post("/users")
@needs(Role.ADMIN)
@blueprint.input(NewUser)
@blueprint.output(UserShape, status_code=201)
@blueprint.doc(summary="Make a user", responses=[400, 409])
def create_user(json_data: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    _require_login()
    row = get_service().accounts.create(
        json_data["name"], Role(json_data["role"]), json_data["password"]
    )
    return show_user(row), 201, {"Location": f"/api/users/{row.id}"}


@blueprint.get("/users/<user_id>")
@needs(Role.ADMIN)
@blueprint.output(UserShape)
@blueprint.doc(summary="One user", responses=[404])
def get_user(user_id: str) -> dict[str, Any]:
    return show_user(get_service().accounts.users.get(user_id))


@blueprint.patch("/users/<user_id>")
@needs(Role.ADMIN)
@blueprint.input(UserChange)
@blueprint.output(UserShape)
@blueprint.doc(
    summary="Change a user's role, give a new password, or close the account",
    description="What is left out stays. A new password and closing end all sessions; the last "
    "admin stays one.",
    responses=[400, 404, 409],
)
def change_user(user_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    _require_login()
    role = json_data.get("role")
    row = get_service().accounts.change(
        user_id,
        role=None if role is None else Role(role),
        disabled=json_data.get("disabled"),
        password=json_data.get("password"),
    )
    return show_user(row)


@blueprint.delete("/users/<user_id>")
@needs(Role.ADMIN)
@blueprint.output({}, status_code=204)
@blueprint.doc(
    summary="Remove a user: all sessions end, and their tokens are revoked",
    description="Their models stay, without an owner that can sign in; delete them before with "
    "`DELETE /api/owners/{owner_id}/models`.",
    responses=[404, 409],
)
def remove_user(user_id: str) -> tuple[str, int]:
    _require_login()
    get_service().accounts.users.remove(user_id)
    return "", 204


def show_user(row: User) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "disabled": row.disabled_at is not None,
        "has_password": row.password_hash is not None,
        "created_at": show_time(row.created_at),
        "last_seen_at": show_time(row.last_seen_at),
    }


def _show_session(row: BrowserSession, names: dict[str, str], identity: Identity) -> dict[str, Any]:
    return {
        "id": row.id,
        "user_id": row.user_id,
        "token_id": row.token_id,
        "name": names.get(row.user_id or row.token_id or "", ""),
        "address": row.address,
        "agent": row.agent,
        "present": row.id == identity.session_id,
        "created_at": show_time(row.created_at),
        "last_used_at": show_time(row.last_used_at),
        "expires_at": show_time(row.expires_at),
    }


def _sign_in(identity: Identity) -> Response:
    response = jsonify(show_identity(identity))
    get_guard().begin_session(response, identity)
    return response


def _require_login() -> None:
    if get_guard().access != "login":
        raise NotConfigured(NO_USERS)
