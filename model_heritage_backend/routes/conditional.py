"""Conditional requests (RFC 9110, section 13), for every route alike.

``ETag`` and ``If-None-Match``: whatever a GET under ``/api`` answers from memory has a strong tag
made of its bytes, and 304 without a body for whoever has them. Streams are left alone, and files
have tags of their own.

``If-Match``: a change names the tag of what its sender has seen, and is made only while GET at the
same address (path and query) still answers that; else 412. What is promised: of several PUT, PATCH
and DELETE of one address, with or without ``If-Match``, none comes between the check and the end of
another; uploads of files and POST take part when they send ``If-Match``. A job that changes the
same state at that very moment is not held back: what is written last stands.
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import ExitStack
from io import BytesIO
from weakref import WeakValueDictionary

from flask import Flask, Response, current_app, g, request

from model_heritage_backend.errors import PreconditionFailed
from model_heritage_backend.routes.problems import MEDIA_TYPE, show_problem
from model_heritage_backend.routes.uploads import FORM_BYTES
from model_heritage_backend.routes.views import get_service

READS = ("GET", "HEAD")
CHANGES = ("PUT", "PATCH", "DELETE", "POST")
TAG_LENGTH = 32
TURN = "heritage_turn"
OF_THE_CHANGE = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_RANGE", "HTTP_TRANSFER_ENCODING")


class _Turn:
    """One change of an address at a time. (Locks themselves cannot be referred to weakly.)"""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        # Held by whoever has the lock: the same turn at other processes.
        self.elsewhere = ExitStack()


def answer_conditionally(app: Flask) -> None:
    """Tags on reads, and ``If-Match`` on changes. After ``accept_uploads``, which bounds bodies."""
    guard = threading.Lock()
    turns: WeakValueDictionary[str, _Turn] = WeakValueDictionary()

    @app.before_request
    def check_state() -> None:
        if request.method not in CHANGES or not request.path.startswith("/api/"):
            return
        if request.routing_exception is not None:
            return
        wanted, small = "If-Match" in request.headers, _has_small_body()
        if not wanted and (request.method == "POST" or not small):
            return
        if small:
            # A sender that is slow must not hold up the others.
            request.get_data()
        with guard:
            turn = turns.setdefault(request.path, _Turn())
        turn.lock.acquire()
        setattr(g, TURN, turn)
        turn.elsewhere.enter_context(get_service().hold_address(request.path))
        if wanted:
            _check_match()

    @app.after_request
    def add_tag(response: Response) -> Response:
        if request.method not in READS or not request.path.startswith("/api/"):
            return response
        if response.status_code == 412 and response.mimetype != MEDIA_TYPE:
            # A file is not what If-Match wants: only its route's helper can tell, but not well.
            response.close()
            return show_problem(PreconditionFailed("The file's ETag is not the one in If-Match."))
        if response.status_code != 200 or response.is_streamed or response.direct_passthrough:
            return response
        if "ETag" not in response.headers:
            response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:TAG_LENGTH])
        tag = response.get_etag()[0]
        if tag is not None and request.if_none_match.contains_weak(tag):
            response.status_code = 304
            response.set_data(b"")
        return response

    @app.teardown_request
    def end_turn(_error: BaseException | None) -> None:
        turn: _Turn | None = g.pop(TURN, None)
        if turn is not None:
            try:
                turn.elsewhere.close()
            finally:
                turn.lock.release()


def _has_small_body() -> bool:
    """Whether the body is a document or nothing, and no file."""
    limit = request.max_content_length
    if limit is None or limit > FORM_BYTES:
        return False
    chunked = "Transfer-Encoding" in request.headers
    return request.mimetype == "application/json" or not (request.content_length or chunked)


def _check_match() -> None:
    state = _ask_present_state()
    # What is not there is for the route to say, unless it would be made.
    if state.status_code == 404 and request.method != "PUT":
        return
    tag = state.get_etag()[0] if state.status_code == 200 else None
    if tag is None:
        raise PreconditionFailed("There is no state at this address that If-Match could name.")
    if not request.if_match.contains(tag):
        raise PreconditionFailed(
            "This has changed since you read it: its ETag is not the one in If-Match."
        )


def _ask_present_state() -> Response:
    """What GET answers now at the address of the present request."""
    environ = {name: v for name, v in request.environ.items() if name not in OF_THE_CHANGE}
    environ |= {"REQUEST_METHOD": "GET", "CONTENT_LENGTH": "0", "wsgi.input": BytesIO()}
    with current_app.app_context(), current_app.request_context(environ):
        response = current_app.full_dispatch_request()
        response.close()
        return response
