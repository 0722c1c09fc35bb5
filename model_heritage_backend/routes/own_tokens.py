"""Tokens that people make for themselves, without asking an admin."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from model_heritage_backend.errors import NotConfigured
from model_heritage_backend.routes.access import get_identity, needs
from model_heritage_backend.routes.schemas.tokens import NewToken, TokenList, TokenRequest
from model_heritage_backend.routes.tokens import require_access, show_token
from model_heritage_backend.routes.views import get_service
from model_heritage_backend.services.access import Role

NOBODY = (
    "Tokens of one's own have those who signed in with a password or through a proxy; whoever came "
    "with a token makes no others with it."
)
blueprint = APIBlueprint("own_tokens", __name__, tag="Access")


@blueprint.after_request
def forbid_keeping(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/session/tokens")
@blueprint.output(TokenList)
@blueprint.doc(summary="Your own tokens, the newest first, without their texts", responses=[409])
def list_own_tokens() -> dict[str, Any]:
    found = get_service().access.tokens.list_of(_get_user())
    return {"tokens": [show_token(row) for row in found]}


@blueprint.post("/session/tokens")
@needs(Role.VIEWER)
@blueprint.input(TokenRequest)
@blueprint.output(NewToken, status_code=201)
@blueprint.doc(
    summary="Make a token for yourself",
    description="It never may more than you, whatever its role, and ends with your account. Its "
    "text is in this answer only.",
    responses=[400, 403, 409],
)
def create_own_token(json_data: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    user_id = _get_user()
    row, text = get_service().access.create_own(
        json_data["name"],
        Role(json_data["role"]),
        days=json_data["expires_in_days"],
        user_id=user_id,
        own_role=get_identity().role,
    )
    location = f"/api/session/tokens/{row.id}"
    return show_token(row) | {"token": text}, 201, {"Location": location}


@blueprint.delete("/session/tokens/<token_id>")
@needs(Role.VIEWER)
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="Revoke a token of your own for good", responses=[404, 409])
def revoke_own_token(token_id: str) -> tuple[str, int]:
    get_service().access.revoke_own(token_id, user_id=_get_user())
    return "", 204


def _get_user() -> str:
    """Who is signed in as themselves. A token may be in many hands: with one that got lost, nobody
    is to make another that outlasts it.

    Raises
    ------
    NotConfigured
    """
    require_access()
    identity = get_identity()
    if identity.user_id is None or identity.token_id is not None:
        raise NotConfigured(NOBODY)
    return identity.user_id
