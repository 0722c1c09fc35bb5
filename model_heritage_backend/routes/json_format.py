"""JSON as RFC 8259 has it: what is no number there is neither sent nor accepted."""

from __future__ import annotations

import json
import math
from typing import Any

from apiflask.schema_adapters.marshmallow import parser
from flask import Flask, Request, current_app
from flask.json.provider import DefaultJSONProvider
from webargs import missing
from werkzeug.exceptions import UnsupportedMediaType

from model_heritage_backend.errors import InvalidRequest


class StrictJson(DefaultJSONProvider):
    """Numbers that JSON cannot say (NaN, infinities) are sent as null, and refused in requests.

    Null is what the schemas have for a value that is not known, and an answer without one value is
    of more use than an error.
    """

    sort_keys = False

    def dumps(self, obj: Any, **options: Any) -> str:
        options.setdefault("allow_nan", False)
        try:
            return super().dumps(obj, **options)
        except ValueError:
            return super().dumps(_withhold(obj), **options)

    def loads(self, s: str | bytes, **options: Any) -> Any:
        try:
            return json.loads(s, parse_constant=_refuse, **options)
        except RecursionError as error:
            raise ValueError("The document is nested too deeply.") from error


def use_strict_json(app: Flask) -> None:
    """For what ``app`` sends, and for the bodies that schemas read."""
    app.json = StrictJson(app)
    # The parser is the library's own, which all applications of the process share.
    parser.location_loader("json")(_load_body)


def _load_body(request: Request, _schema: object) -> Any:
    body = request.get_data()
    # Another kind of body would be taken for an empty one, and a change for a change of nothing.
    if not request.is_json and (body or request.method == "PATCH"):
        raise UnsupportedMediaType("Send the body as application/json.")
    if not body:
        return missing
    try:
        return current_app.json.loads(body)
    except ValueError as error:
        raise InvalidRequest("The body is not valid JSON.") from error


def _withhold(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_withhold(key): _withhold(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_withhold(item) for item in value]
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number in JSON.")
