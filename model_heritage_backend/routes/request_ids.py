"""A name for every request: in its answer, in its problems and in every line that it logs."""

from __future__ import annotations

import uuid

from flask import Flask, Response, request

HEADER = "X-Request-Id"
_KEY = "model_heritage.request_id"


def name_requests(app: Flask) -> None:
    """Show each request's id in its answer."""

    @app.after_request
    def show_request_id(response: Response) -> Response:
        response.headers[HEADER] = get_request_id()
        return response


def get_request_id() -> str:
    """The id of the present request; what it asks of other routes has the same one."""
    return str(request.environ.setdefault(_KEY, uuid.uuid4().hex))
