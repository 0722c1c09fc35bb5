"""The user interface as built. Its own router knows which page a path means."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, Response, abort, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.routing import PathConverter

from model_heritage_backend.routes.access import open_to_all

NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Model Heritage</title>
<body style="font-family: system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>Model Heritage</h1>
<p>The API is running, but the user interface has not been built. Stop the server and start it with
<code>make run</code>, which builds it.</p>
<p><a href="/api/docs">The API's documentation</a></p></body></html>"""


class PageConverter(PathConverter):
    """Paths outside ``/api``: there, unknown ones are errors and not pages."""

    regex = "(?!api(?:/|$))[^/].*?"


def add_pages(app: Flask, dist: Path) -> None:
    """Files of the built interface in ``dist``; any other path gets its page."""
    app.url_map.converters["page"] = PageConverter
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/")
    @open_to_all
    def show_start() -> Response:
        return _show_index(dist)

    @blueprint.get("/<page:path>")
    @open_to_all
    def show_page(path: str) -> Response:
        try:
            response = send_from_directory(dist, path)
        except NotFound:
            # A page that is still open may ask for a file of the build before: not for a page.
            if path.startswith("assets/"):
                abort(404)
            return _show_index(dist)
        immutable = path.startswith("assets/")
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if immutable else "no-cache"
        )
        return response

    app.register_blueprint(blueprint)


def _show_index(dist: Path) -> Response:
    try:
        response = send_from_directory(dist, "index.html")
    except NotFound:
        return Response(NOT_BUILT, 503, mimetype="text/html")
    response.headers["Cache-Control"] = "no-cache"
    return response
