"""What browsers are told: which other sites may call, and what pages from here may do."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_cors import CORS

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.routes.tus import TUS_HEADERS

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; "
    "form-action 'self'; object-src 'none'"
)
EXPOSED = (
    "Content-Disposition",
    "ETag",
    "Link",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "X-Request-Id",
)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
ANY = "*"


class ForeignOrigin(HeritageError):
    """A page of another site tries to change something here."""

    type = "foreign-origin"
    title = "This site may not call the server"
    status = 403


def protect(app: Flask, *, origins: Sequence[str]) -> None:
    """Headers for every answer; requests of other sites only from ``origins``."""
    CORS(
        app,
        resources={r"/api/.*": {"origins": ANY if ANY in origins else list(origins)}},
        expose_headers=[*EXPOSED, *TUS_HEADERS],
    )

    @app.before_request
    def refuse_foreign_changes() -> None:
        # Browsers send forms and uploads to other sites without asking first: the server on
        # somebody's own machine must not obey any page they happen to look at.
        origin = request.headers.get("Origin")
        if origin is None or request.method in SAFE_METHODS or ANY in origins:
            return
        if origin not in origins and urlsplit(origin).netloc != request.host:
            raise ForeignOrigin(
                f"Pages of {origin[:200]} may not change anything here. The setting cors_origins "
                "names the sites that may."
            )

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-cache")
        return response
