"""Every error as one shape: RFC 9457 problem+json with a request id."""

from __future__ import annotations

import logging
from typing import Any

from apiflask import APIFlask, HTTPError
from flask import Response, current_app, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from model_heritage_backend.errors import LACK_OF_MEMORY, HeritageError, OutOfMemory
from model_heritage_backend.routes.request_ids import get_request_id
from model_heritage_backend.routes.request_log import note_problem

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
WORDS = {
    400: ("invalid-request", "The request is not valid"),
    401: ("not-signed-in", "A token is needed"),
    403: ("foreign-origin", "This site may not call the server"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "This method is not allowed here"),
    406: ("not-acceptable", "This cannot be answered in the wanted form"),
    409: ("conflict", "The request contradicts the present state"),
    412: ("precondition-failed", "The state has changed"),
    408: ("request-timeout", "The request took too long to arrive"),
    411: ("length-required", "The request must tell its length"),
    413: ("file-too-large", "The request is too large"),
    415: ("unsupported-media-type", "This kind of request body is not understood"),
    416: ("range-not-satisfiable", "The file has no such range"),
    422: ("invalid-weights", "This file is not a valid checkpoint"),
    429: ("too-many-attempts", "Too many failed attempts"),
    503: ("database-busy", "The database is busy"),
    507: ("insufficient-storage", "The server's disk is full"),
}


def register_problems(app: APIFlask) -> None:
    """Handlers for every kind of error."""

    @app.error_processor
    def show_http_error(error: HTTPError) -> Any:
        extra = {"errors": error.detail} if error.detail else {}
        detail = _list_mistakes(error.detail) or error.message or "The request is not valid."
        return _problem(error.status_code, detail, extra=extra)

    @app.errorhandler(HeritageError)
    def show_heritage_error(error: HeritageError) -> Response:
        if error.status >= 500:
            logger.error("%s %r: %s", request.method, request.path, error.detail)
        return show_problem(error)

    @app.errorhandler(HTTPException)
    def show_werkzeug_error(error: HTTPException) -> Response:
        response = _problem(error.code or 500, _explain(error))
        for name, value in error.get_headers():
            if name.lower() in ("allow", "content-range", "retry-after"):
                response.headers[name] = value
        return response

    @app.errorhandler(ParseException)
    def show_broken_body(error: ParseException) -> Response:  # noqa: ARG001 (Flask hands it)
        return _problem(400, "The chunks of the request's body are not valid.")

    @app.errorhandler(MemoryError)
    def show_lack_of_memory(error: MemoryError) -> Response:
        logger.error("%s %r needs too much memory", request.method, request.path, exc_info=error)
        return show_problem(OutOfMemory(LACK_OF_MEMORY))

    @app.errorhandler(Exception)
    def show_unexpected(error: Exception) -> Response:
        logger.error("%s %r failed", request.method, request.path, exc_info=error)
        return _problem(500, "Something unexpected went wrong; the server's log has the details.")


def show_problem(error: HeritageError) -> Response:
    """One of our errors as an answer."""
    response = _problem(
        error.status, error.detail, type_=error.type, title=error.title, extra=error.extra
    )
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _explain(error: HTTPException) -> str:
    if error.code == 404:
        return f"There is nothing at {request.path}."
    if error.code == 405:
        return f"{request.method} is not possible at {request.path}."
    return str(error.description or WORDS.get(error.code or 500, ("", "Error"))[1])


def _list_mistakes(detail: Any) -> str:
    """Validation messages in one sentence."""
    if not isinstance(detail, dict):
        return ""
    found = []
    for fields in detail.values():
        if isinstance(fields, dict):
            for name, messages in fields.items():
                text = " ".join(messages) if isinstance(messages, list) else str(messages)
                found.append(f"{name}: {text.removesuffix('.')}")
    return "; ".join(found) + "." if found else ""


def _problem(
    status: int,
    detail: str,
    *,
    type_: str | None = None,
    title: str | None = None,
    extra: dict[str, Any] | None = None,
) -> Response:
    known_type, known_title = WORDS.get(status, ("internal-error", "Something went wrong"))
    note_problem(type_ or known_type)
    body = {
        "type": f"/problems/{type_ or known_type}",
        "title": title or known_title,
        "status": status,
        "detail": detail,
        "request_id": get_request_id(),
        **(extra or {}),
    }
    return Response(current_app.json.dumps(body), status, mimetype=MEDIA_TYPE)
