"""OpenAPI and its try-out page, from files that ship with a package: it works offline."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import Any

import flask_swagger_ui
from apiflask import APIBlueprint, APIFlask
from flask import Response, send_from_directory

from model_heritage_backend.routes.access import describe_access, get_guard
from model_heritage_backend.routes.openapi import complete_specification
from model_heritage_backend.routes.schemas.resumable import describe_resumable_uploads

ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Model Heritage API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/api/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/assets/swagger-ui.css"></head>
<body><div id="docs"></div>
<script src="/api/docs/assets/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body></html>"""
# A file of its own, as pages from here may not run scripts that stand in them.
START = """SwaggerUIBundle({url: "/api/openapi.json", dom_id: "#docs", deepLinking: true});\n"""
CLAIM_ROW = {
    "type": "object",
    "required": ["model"],
    "additionalProperties": False,
    "properties": {
        "model": {"type": "string", "maxLength": 200},
        "licence": {"type": ["string", "null"], "maxLength": 200},
        "task": {"type": ["string", "null"], "maxLength": 100},
        "tags": {"type": ["array", "null"], "items": {"type": "string"}, "maxItems": 32},
        "base_model": {"type": ["string", "null"], "maxLength": 500},
    },
}
CLAIMS_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "array", "maxItems": 10_000, "items": CLAIM_ROW}},
        "text/csv": {
            "schema": {"type": "string"},
            "example": 'model,licence,tags\nbase,apache-2.0,"vision, small"\n',
        },
    },
}

blueprint = APIBlueprint("documentation", __name__, enable_openapi=False)


@blueprint.get("/api/docs")
def show_page() -> Response:
    return Response(PAGE, mimetype="text/html")


@blueprint.get("/api/docs/start.js")
def show_start() -> Response:
    return Response(START, mimetype="text/javascript")


@blueprint.get("/api/docs/assets/<path:name>")
def show_asset(name: str) -> Response:
    return send_from_directory(ASSETS, name)


def add_documentation(app: APIFlask) -> None:
    """The page, and what the schemas cannot say of themselves."""
    app.register_blueprint(blueprint)
    lock = threading.Lock()
    cache: list[Any] = []

    @app.get("/api/openapi.json")
    @app.doc(hide=True)
    def show_specification() -> Any:
        with lock, warnings.catch_warnings():
            if not cache:
                # Of schemas that are used both alone and inside others; their names stay unique.
                warnings.filterwarnings("ignore", message=".*already been added to the spec")
                cache.append(app.spec)
        return cache[0]

    @app.spec_processor
    def complete(spec: Any) -> Any:
        describe_resumable_uploads(spec["paths"])
        describe_access(app, spec, get_guard())
        spec["paths"]["/api/claims"]["post"]["requestBody"] = CLAIMS_BODY
        impact = spec["paths"]["/api/models/{model_id}/impact"]["get"]["responses"]["200"]
        impact["content"]["text/csv"] = {"schema": {"type": "string"}}
        return complete_specification(spec)
