"""A name for every request: in its answer, in its problems and in every line that it logs."""

from __future__ import annotations

import logging
import uuid

from flask import Flask, Response, has_request_context, request

HEADER = "X-Request-Id"
OUTSIDE = "-"
FORMAT = "%(asctime)s %(levelname)s [%(request_id)s] %(message)s"
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


def start_logging(level: str) -> None:
    """Log to standard error, every line with ``request_id`` (``-`` outside requests)."""
    logging.basicConfig(level=level, format=FORMAT)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # On handlers, because filters of loggers do not see what comes from the loggers below them.
    for handler in logging.getLogger().handlers:
        handler.addFilter(_add_request_id)


def _add_request_id(record: logging.LogRecord) -> bool:
    if not hasattr(record, "request_id"):
        record.request_id = get_request_id() if has_request_context() else OUTSIDE
    return True
