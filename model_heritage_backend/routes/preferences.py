"""What a client would rather have (RFC 7240): so far only not to wait."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.http import parse_options_header

ASYNC = "respond-async"


def wants_async() -> bool:
    """Whether the client would rather have a job than wait for what it asks for."""
    sent = ",".join(request.headers.getlist("Prefer"))
    return any(parse_options_header(part)[0].strip().lower() == ASYNC for part in sent.split(","))


def confirm_preferences(app: Flask) -> None:
    """Tell whoever asked for a job that this is why the answer is one."""

    @app.after_request
    def confirm(response: Response) -> Response:
        if response.status_code == 202 and wants_async():
            response.headers["Preference-Applied"] = ASYNC
        return response
