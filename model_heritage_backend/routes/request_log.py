"""One line of the log, and one count, for every request."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, unbind_contextvars

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.routes.access import get_identity
from model_heritage_backend.routes.request_ids import get_request_id
from model_heritage_backend.routes.views import get_service

logger = logging.getLogger("model_heritage.requests")
NOBODY = "-"
NOWHERE = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "(other)"
_STARTED = "model_heritage.started"
_PROBLEM = "heritage_problem"


def observe_requests(app: Flask, *, slow_seconds: float) -> None:
    """Before all other hooks: what comes first begins first, and ends last.

    Parameters
    ----------
    slow_seconds : what takes longer is a warning
    """

    @app.before_request
    def begin() -> None:
        # What a request asks of other routes is a part of it, and finds the time there already.
        if _STARTED not in request.environ:
            request.environ[_STARTED] = id(request.environ), time.perf_counter()
            # For jobs that this request asks for, and for what they log.
            bind_contextvars(request_id=get_request_id())

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        if request.environ.get(_STARTED, (0, 0.0))[0] == id(request.environ):
            unbind_contextvars("request_id")

    @app.after_request
    def end(response: Response) -> Response:
        owner, started = request.environ.get(_STARTED, (0, 0.0))
        if owner == id(request.environ):
            _tell(response, time.perf_counter() - started, slow_seconds)
        return response


def note_problem(type_: str) -> None:
    """Which problem the present request ends with."""
    setattr(g, _PROBLEM, type_)


def _tell(response: Response, seconds: float, slow_seconds: float) -> None:
    method = request.method if request.method in METHODS else OTHER_METHOD
    # Never the path itself: it holds what users chose to write there.
    route = request.url_rule.rule if request.url_rule is not None else NOWHERE
    slow = seconds > slow_seconds
    get_service().metrics.count_request(
        method=method,
        route=route,
        status=response.status_code,
        seconds=seconds,
        slow=slow,
        problem=g.get(_PROBLEM),
    )
    level = logging.WARNING if slow else logging.INFO
    if not logger.isEnabledFor(level):
        return
    logger.log(
        level,
        "slow request" if slow else "request",
        extra={
            "method": method,
            "path": route,
            "status": response.status_code,
            "ms": round(1000 * seconds, 1),
            "who": _name_caller(),
        },
    )


def _name_caller() -> str:
    """The name of a token or user, never the token."""
    try:
        return get_identity().name
    except HeritageError:
        return NOBODY
