"""The cookie of a browser's session: a secret that says nothing by itself."""

from __future__ import annotations

from flask import Response, request

COOKIE = "model_heritage_session"
PATH = "/api"


def set_cookie(response: Response, secret: str, *, hours: float) -> None:
    response.set_cookie(
        COOKIE,
        secret,
        max_age=round(hours * 3600),
        path=PATH,
        secure=_came_by_https(),
        httponly=True,
        samesite="Strict",
    )


def forget_cookie(response: Response) -> None:
    response.delete_cookie(
        COOKIE, path=PATH, secure=_came_by_https(), httponly=True, samesite="Strict"
    )


def _came_by_https() -> bool:
    """Whether the browser speaks https, also with a proxy that does not say so."""
    return request.is_secure or request.headers.get("Origin", "").startswith("https://")
