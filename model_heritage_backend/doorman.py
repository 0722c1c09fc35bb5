"""Who answers while the application is still being made: the process lives, and is not ready.

Knows nothing but the program's version, so that it can answer long before numpy and SQL are loaded.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from model_heritage_backend.errors import NotReady
from model_heritage_backend.version import __version__

QUESTION = re.compile(rb"(GET|HEAD) (/api)?/(health|ready)[? ]")
STARTING = "The server is starting."
RETRY_SECONDS = 1
StartResponse = Callable[[str, list[tuple[str, str]]], object]


def is_for_doorman(head: bytes) -> bool:
    """Whether a request with this head can be answered without the application.

    Examples
    --------
    >>> is_for_doorman(b"GET /api/health HTTP/1.1\\r\\n\\r\\n")
    True
    >>> is_for_doorman(b"GET /api/models HTTP/1.1\\r\\n\\r\\n")
    False
    """
    return QUESTION.match(head) is not None


def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """An application of WSGI: 200 for ``/health``, 503 for everything else."""
    request_id = uuid.uuid4().hex
    body: dict[str, Any]
    if environ["PATH_INFO"] in ("/health", "/api/health"):
        status, kind, extra = "200 OK", "application/json", []
        body = {"status": "ok", "version": __version__}
    else:
        status, kind = f"{NotReady.status} Service Unavailable", "application/problem+json"
        extra = [("Retry-After", str(RETRY_SECONDS))]
        body = {
            "type": f"/problems/{NotReady.type}",
            "title": NotReady.title,
            "status": NotReady.status,
            "detail": STARTING,
            "request_id": request_id,
            "failing": ["start"],
            "checks": {"start": STARTING},
        }
    content = json.dumps(body).encode()
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(content))),
        ("Cache-Control", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Request-Id", request_id),
        *extra,
    ]
    start_response(status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]
