"""The composition root: everything is constructed here, nothing at import time."""

from __future__ import annotations

import logging
import tempfile
import warnings
from typing import IO, Any

from apiflask import APIFlask
from flask import Request, Response, request
from flask_cors import CORS

from model_heritage_backend import __version__
from model_heritage_backend.config import PROJECT, Settings, load_settings
from model_heritage_backend.models.database import Database, db
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.migrate import upgrade_database
from model_heritage_backend.routes import families, lake, models
from model_heritage_backend.routes.pages import build_pages
from model_heritage_backend.routes.problems import register_problems
from model_heritage_backend.routes.schemas import Problem
from model_heritage_backend.routes.views import EXTENSION
from model_heritage_backend.services import HeritageService

DIST = PROJECT / "model_heritage_frontend" / "dist"
FORM_OVERHEAD = 1 << 20
CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; "
    "form-action 'self'; object-src 'none'"
)
DOCS_POLICY = CONTENT_POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'")


def create_app(settings: Settings | None = None) -> APIFlask:
    """The application, ready to serve: database migrated, unfinished work resumed.

    Raises
    ------
    InvalidRequest
        When a setting is not valid.
    Conflict
        When another server uses the data folder, or a newer one has changed its database.
    """
    settings = settings or load_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    files = FileStore(settings.data_dir, max_file_bytes=settings.max_upload_bytes)
    files.acquire()
    # What a form parser spools must not fill another volume.
    tempfile.tempdir = str(files.staging)
    app = APIFlask("model_heritage", title="Model Heritage", version=__version__, docs_path=None)
    _configure(app, settings)
    db.init_app(app)
    with app.app_context():
        database = Database(db.engine)
    upgrade_database(database.engine)
    service = HeritageService(
        database,
        files,
        fingerprint_cache_bytes=settings.fingerprint_cache_bytes,
        synchronous_seconds=settings.synchronous_seconds,
    )
    app.extensions[EXTENSION] = service
    app.request_class = _build_request_class(files)
    register_problems(app)
    for blueprint in (models.blueprint, families.blueprint, lake.blueprint):
        app.register_blueprint(blueprint, url_prefix="/api")
    app.register_blueprint(build_pages(DIST))
    _add_documentation(app)
    _add_security_headers(app)
    CORS(app, resources={r"/api/*": {"origins": list(settings.cors_origins)}})
    service.start()
    return app


def close_app(app: APIFlask) -> None:
    """Let the present job end, and give the data folder free."""
    service: HeritageService = app.extensions[EXTENSION]
    service.stop()
    service.files.release()


def _configure(app: APIFlask, settings: Settings) -> None:
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.resolved_database_url,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes + FORM_OVERHEAD,
        MAX_FORM_PARTS=100,
        MAX_FORM_MEMORY_SIZE=1 << 20,
        VALIDATION_ERROR_STATUS_CODE=400,
        OPENAPI_VERSION="3.0.3",
        SPEC_FORMAT="json",
        HTTP_ERROR_SCHEMA=Problem,
        VALIDATION_ERROR_SCHEMA=Problem,
        DESCRIPTION="The genealogy of neural networks, read from their weights.",
        JSON_SORT_KEYS=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]


def _build_request_class(files: FileStore) -> type[Request]:
    class StreamingRequest(Request):
        """Writes an uploaded file once, straight to where it is staged."""

        def _get_file_stream(
            self,
            total_content_length: int | None,
            content_type: str | None,  # noqa: ARG002 (werkzeug's signature, here and below)
            filename: str | None = None,  # noqa: ARG002
            content_length: int | None = None,  # noqa: ARG002
        ) -> IO[bytes]:
            staged: Any = files.stage(expected_bytes=total_content_length)
            return staged  # type: ignore[no-any-return]

    return StreamingRequest


def _add_documentation(app: APIFlask) -> None:
    """Swagger UI from files that ship with a package: it works offline."""

    @app.get("/api/docs")
    @app.doc(hide=True)
    def show_documentation() -> Response:
        return Response(DOCUMENTATION, mimetype="text/html")

    @app.spec_processor
    def describe_raw_upload(spec: Any) -> Any:
        body = {"schema": {"type": "string", "format": "binary"}}
        operation = spec["paths"]["/api/models"]["put"]
        operation["requestBody"] = {"content": {"application/octet-stream": body}}
        return spec

    @app.get("/api/openapi.json")
    @app.doc(hide=True)
    def show_specification() -> Any:
        # A schema that a list nests and another path shows alone is added under one name twice.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*already been added to the spec")
            return app.spec


def _add_security_headers(app: APIFlask) -> None:
    @app.after_request
    def add_headers(response: Response) -> Response:
        docs = request.path.startswith("/api/docs")
        response.headers.setdefault(
            "Content-Security-Policy", DOCS_POLICY if docs else CONTENT_POLICY
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Frame-Options"] = "DENY"
        return response


DOCUMENTATION = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Model Heritage API</title>
<link rel="stylesheet" href="/api/docs/assets/swagger-ui.css"></head>
<body><div id="docs"></div>
<script src="/api/docs/assets/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "/api/openapi.json", dom_id: "#docs", deepLinking: true});</script>
</body></html>"""
