"""Signing in and out, tokens, and the record of changes."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify

from model_heritage_backend.errors import NotConfigured
from model_heritage_backend.models.tables import ApiToken, AuditEntry
from model_heritage_backend.routes.access import (
    get_address,
    get_guard,
    get_identity,
    needs,
    open_to_all,
)
from model_heritage_backend.routes.schemas.tokens import (
    AuditPageShape,
    AuditQuery,
    NewToken,
    Session,
    SignIn,
    TokenList,
    TokenRequest,
    TokenShape,
)
from model_heritage_backend.routes.sessions import forget_cookie
from model_heritage_backend.routes.views import get_service, show_time
from model_heritage_backend.services.access import Identity, Role

OPEN = "Access is open here: the setting access says that nobody is asked who they are."
blueprint = APIBlueprint("tokens", __name__, tag="Access")


@blueprint.after_request
def forbid_keeping(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/session")
@blueprint.output(Session)
@blueprint.doc(summary="Who you are here, and what you may do")
def get_session() -> dict[str, Any]:
    return show_identity(get_identity())


@blueprint.post("/session")
@open_to_all
@blueprint.input(SignIn)
@blueprint.output(Session)
@blueprint.doc(
    summary="Sign in with a token, for browsers",
    description="Sets an HttpOnly cookie. A change that is asked for with it needs an `Origin` of "
    "this server, or the header `X-Requested-With`. Programs send `Authorization: Bearer` instead.",
    responses=[400, 401, 403, 409, 429],
)
def sign_in(json_data: dict[str, Any]) -> Response:
    require_access()
    identity = get_service().access.identify(json_data["token"], address=get_address())
    response = jsonify(show_identity(identity))
    get_guard().begin_session(response, identity)
    return response


@blueprint.delete("/session")
@needs(Role.VIEWER)
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="Sign out: the session ends, and the browser forgets it")
def sign_out() -> Response:
    response = Response(status=204)
    get_service().sessions.end_own(get_identity())
    forget_cookie(response)
    return response


@blueprint.get("/tokens")
@needs(Role.ADMIN)
@blueprint.output(TokenList)
@blueprint.doc(summary="All tokens, the newest first, without their texts")
def list_tokens() -> dict[str, Any]:
    return {"tokens": [show_token(row) for row in get_service().access.tokens.list_all()]}


@blueprint.post("/tokens")
@needs(Role.ADMIN)
@blueprint.input(TokenRequest)
@blueprint.output(NewToken, status_code=201)
@blueprint.doc(
    summary="Make a token",
    description="Its text is in this answer only: the server keeps no more than its SHA-256.",
    responses=[400, 409],
)
def create_token(json_data: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    require_access()
    row, text = get_service().access.create(
        json_data["name"], Role(json_data["role"]), days=json_data["expires_in_days"]
    )
    return show_token(row) | {"token": text}, 201, {"Location": f"/api/tokens/{row.id}"}


@blueprint.get("/tokens/<token_id>")
@needs(Role.ADMIN)
@blueprint.output(TokenShape)
@blueprint.doc(summary="One token, without its text", responses=[404])
def get_token(token_id: str) -> dict[str, Any]:
    return show_token(get_service().access.tokens.get(token_id))


@blueprint.delete("/tokens/<token_id>")
@needs(Role.ADMIN)
@blueprint.output({}, status_code=204)
@blueprint.doc(
    summary="Revoke a token for good, and end its sessions",
    description="It stays in the list, so that the record of changes can be read.",
    responses=[404, 409],
)
def revoke_token(token_id: str) -> tuple[str, int]:
    require_access()
    get_service().access.tokens.revoke(token_id)
    return "", 204


@blueprint.get("/audit")
@needs(Role.ADMIN)
@blueprint.input(AuditQuery, location="query")
@blueprint.output(AuditPageShape)
@blueprint.doc(
    summary="Who asked for which change, the newest first",
    description="Recorded unless access is open; refused requests of known tokens too.",
    responses=[400],
)
def list_audit(query_data: dict[str, Any]) -> dict[str, Any]:
    page = get_service().audit.list_page(**query_data)
    return {
        "entries": [_show_entry(entry) for entry in page.entries],
        "next_before": page.next_before,
    }


def show_token(row: ApiToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "user_id": row.user_id,
        "state": row.state,
        "created_at": show_time(row.created_at),
        "expires_at": show_time(row.expires_at),
        "last_used_at": show_time(row.last_used_at),
        "revoked_at": show_time(row.revoked_at),
    }


def show_identity(identity: Identity) -> dict[str, Any]:
    return {
        "access": get_guard().access,
        "role": identity.role.value,
        "name": identity.name,
        "user_id": identity.user_id,
        "token_id": identity.token_id,
        "session_id": identity.session_id,
        "token_expires_at": show_time(identity.expires_at),
    }


def _show_entry(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "actor": entry.actor,
        "name": entry.detail["name"],
        "method": entry.action,
        "path": entry.detail["path"],
        "status": entry.detail["status"],
        "request_id": entry.detail["request_id"],
        "created_at": show_time(entry.created_at),
    }


def require_access() -> None:
    """Where nobody is asked, anybody could make what outlasts the open door.

    Raises
    ------
    NotConfigured
    """
    if get_guard().is_open:
        raise NotConfigured(OPEN)
