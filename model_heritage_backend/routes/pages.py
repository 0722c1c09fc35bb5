"""The user interface, as built, and the assets of the API's documentation page."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort, send_from_directory
from swagger_ui_bundle import swagger_ui_path

NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Model Heritage</title>
<body style="font-family: system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>Model Heritage</h1>
<p>The API is running, but the user interface has not been built. Stop the server and start it with
<code>make run</code>, which builds it.</p>
<p><a href="/api/docs">The API's documentation</a></p></body></html>"""


def build_pages(dist: Path) -> Blueprint:
    """Files of the built interface; any other path gets its page, which knows the rest."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/api/docs/assets/<path:name>")
    def show_docs_asset(name: str) -> Response:
        return send_from_directory(swagger_ui_path, name)

    @blueprint.get("/", defaults={"path": "index.html"})
    @blueprint.get("/<path:path>")
    def show_page(path: str) -> Response:
        if path == "api" or path.startswith("api/"):
            abort(404)
        if (dist / path).is_file():
            response = send_from_directory(dist, path)
            if path.startswith("assets/"):
                response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
            return response
        if not (dist / "index.html").is_file():
            return Response(NOT_BUILT, 503, mimetype="text/html")
        response = send_from_directory(dist, "index.html")
        response.headers["Cache-Control"] = "no-cache"
        return response

    return blueprint
