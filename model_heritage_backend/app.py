"""The composition root: everything is constructed here, nothing at import time."""

from __future__ import annotations

import logging
from datetime import timedelta

from apiflask import APIFlask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from model_heritage_backend.config import SQLITE_PREFIX, Settings, load_settings
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.interop.neo4j_server import Neo4jServer
from model_heritage_backend.models.database import Database, check_driver, db, list_engine_options
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.migrate import upgrade_database
from model_heritage_backend.models.storage import open_files
from model_heritage_backend.places import INTERFACE, MIGRATIONS
from model_heritage_backend.routes import (
    accounts,
    claims,
    configuration,
    consequences,
    corrections,
    deletion,
    exports,
    families,
    history,
    jobs,
    lake,
    lake_statistics,
    maintenance,
    models,
    own_tokens,
    resumable,
    tokens,
)
from model_heritage_backend.routes.access import Guard, guard_routes
from model_heritage_backend.routes.conditional import answer_conditionally
from model_heritage_backend.routes.configuration import keep_settings
from model_heritage_backend.routes.documentation import add_documentation
from model_heritage_backend.routes.hosts import guard_hosts
from model_heritage_backend.routes.job_events import EventStreams
from model_heritage_backend.routes.json_format import use_strict_json
from model_heritage_backend.routes.log_lines import count_lines, start_logging, stop_logging
from model_heritage_backend.routes.monitoring import add_monitoring
from model_heritage_backend.routes.pages import add_pages
from model_heritage_backend.routes.preferences import confirm_preferences
from model_heritage_backend.routes.problems import register_problems
from model_heritage_backend.routes.protection import protect
from model_heritage_backend.routes.proxy_user import ProxyUser
from model_heritage_backend.routes.request_ids import name_requests
from model_heritage_backend.routes.request_log import observe_requests
from model_heritage_backend.routes.schemas.common import Problem
from model_heritage_backend.routes.uploads import FORM_BYTES, accept_uploads
from model_heritage_backend.routes.views import EXTENSION
from model_heritage_backend.services.access import Role
from model_heritage_backend.services.admission import AdmissionRules
from model_heritage_backend.services.backups import DATABASE
from model_heritage_backend.services.engine import EngineOptions
from model_heritage_backend.services.heritage_service import HeritageService
from model_heritage_backend.services.pace import Pace
from model_heritage_backend.services.quotas import Quota
from model_heritage_backend.services.upkeep import Plan
from model_heritage_backend.version import __version__
from model_heritage_backend.weights.limits import choose_limits

ROOMS = (
    models,
    families,
    claims,
    configuration,
    consequences,
    corrections,
    history,
    jobs,
    maintenance,
    lake,
    lake_statistics,
    exports,
    tokens,
    own_tokens,
    accounts,
    deletion,
)
logger = logging.getLogger(__name__)
UPLOADS = ("models.upload_form", "models.upload_raw", "models.identify")
RESUMABLE_UPLOADS = ("resumable.create_upload", "resumable.append_bytes")


def create_app(settings: Settings | None = None, *, is_worker: bool = False) -> APIFlask:
    """The application, ready to serve: database migrated, unfinished work resumed.

    Parameters
    ----------
    is_worker : whether it shall do jobs that come over Redis, and serve nobody

    Raises
    ------
    InvalidRequest
        When a setting is not valid.
    Conflict
        When another server uses the data folder, or a newer one has changed its database.
    """
    settings = settings or load_settings()
    start_logging(
        settings.log_level,
        format_=settings.log_format,
        # A file that two processes write to cannot be followed by a new one.
        file=None if is_worker else settings.log_file,
        file_bytes=settings.log_file_bytes,
        files_kept=settings.log_files_kept,
    )
    choose_limits(**settings.reader_limits)
    files = open_files(
        settings.data_dir,
        max_file_bytes=settings.max_upload_bytes,
        reserve_bytes=settings.disk_reserve_bytes,
        storage_url=settings.storage_url,
        storage_cache_bytes=settings.storage_cache_bytes,
    )
    check_driver(settings.resolved_database_url)
    files.acquire(shared=settings.is_shared)
    try:
        return _build_app(settings, files, is_worker=is_worker)
    except BaseException:
        files.release()
        raise


def _build_app(settings: Settings, files: FileStore, *, is_worker: bool) -> APIFlask:
    # static_folder: the interface has its own rules, and unknown paths must be problems.
    app = APIFlask(
        "model_heritage",
        title="Model Heritage",
        version=__version__,
        spec_path=None,
        docs_path=None,
        # Flask's own type allows None.
        static_folder=None,  # type: ignore[arg-type]
    )
    # Not the name by which somebody happened to ask for the document first.
    app.servers = [{"url": "/"}]
    _configure(app, settings)
    use_strict_json(app)
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        database = Database(db.engine, wait_seconds=settings.database_wait_seconds)
    upgrade_database(database.engine)
    service = HeritageService(
        database,
        files,
        fingerprint_cache_bytes=settings.fingerprint_cache_bytes,
        synchronous_seconds=settings.synchronous_seconds,
        neo4j=find_neo4j(settings),
        job_seconds=settings.job_seconds,
        upload_expiry_hours=settings.upload_expiry_hours,
        max_unfinished_bytes=settings.max_unfinished_bytes,
        import_roots=settings.import_roots,
        keep_jobs_days=settings.keep_jobs_days,
        engine=EngineOptions.choose(settings),
        rules=AdmissionRules(
            force_safetensors=settings.force_safetensors,
            max_family_size=settings.max_family_size,
        ),
        upkeep=plan_upkeep(settings),
        quota=Quota(models=settings.max_models, bytes=settings.max_storage_bytes),
        quota_per_owner=Quota(
            models=settings.max_models_per_owner, bytes=settings.max_bytes_per_owner
        ),
        redis_url=settings.redis_url,
        is_worker=is_worker,
        solver_processes=settings.solver_processes,
    )
    app.extensions[EXTENSION] = service
    count_lines(service.metrics.count_line)
    keep_settings(app, settings)
    app.extensions[jobs.STREAMS] = EventStreams(limit=max(settings.threads // 2, 1))
    accept_uploads(app, files, endpoints=(*UPLOADS, *RESUMABLE_UPLOADS))
    observe_requests(app, slow_seconds=settings.slow_request_seconds)
    name_requests(app)
    confirm_preferences(app)
    register_problems(app)
    guard_hosts(app, allowed=settings.allowed_hosts, is_open=settings.access == "open")
    protect(app, origins=settings.cors_origins)
    guard_routes(app, build_guard(settings))
    answer_conditionally(app)
    for room in ROOMS:
        app.register_blueprint(room.blueprint, url_prefix="/api")
    resumable.add_resumable_uploads(app)
    add_monitoring(app, metrics_open=settings.metrics_open)
    add_documentation(app)
    add_pages(app, INTERFACE)
    if settings.trusted_proxies:
        # Only what a proxy adds by itself: a host it does not set would be the sender's word.
        count = settings.trusted_proxies
        # As Flask documents it; its type is a method's.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=0, x_port=0, x_prefix=0
        )
    if settings.access == "login":
        code = service.accounts.offer_setup()
        if code is not None:
            logger.warning("No user yet: the page makes the first admin with the code %s", code)
    service.start()
    return app


def plan_upkeep(settings: Settings) -> Plan:
    """What the server does for its data by itself.

    Raises
    ------
    InvalidRequest
        When backups are wanted of a database that is not in the data folder.
    """
    usual = f"{SQLITE_PREFIX}{settings.data_dir / DATABASE}"
    if settings.backup_folder is not None and settings.resolved_database_url != usual:
        raise InvalidRequest(
            "The database is not in the data folder (DATABASE_URL): back it up with its own tools "
            "and leave backup_folder out."
        )
    return Plan(
        backup_folder=settings.backup_folder,
        backup_every=timedelta(hours=settings.backup_hours),
        backup_keep=settings.backup_keep,
        scrub_every=timedelta(days=settings.scrub_days) if settings.scrub_days else None,
        clean_every=timedelta(days=settings.cleanup_days) if settings.cleanup_days else None,
    )


def build_guard(settings: Settings) -> Guard:
    proxy_user = None
    if settings.user_header is not None:
        proxy_user = ProxyUser(
            header=settings.user_header,
            networks=settings.user_header_from,
            role=Role(settings.user_header_role),
        )
    return Guard(
        access=settings.access,
        origins=settings.cors_origins,
        hours=settings.session_hours,
        proxy_user=proxy_user,
        pace=Pace(settings.changes_per_minute),
    )


def find_neo4j(settings: Settings) -> Neo4jServer | None:
    if settings.neo4j_url is None:
        return None
    return Neo4jServer(
        url=settings.neo4j_url,
        user=settings.neo4j_user,
        password=settings.neo4j_password.get_secret_value(),
        database=settings.neo4j_database,
        pool_size=settings.neo4j_pool_size,
    )


def close_app(app: APIFlask) -> None:
    """Let the present job end, and give the data folder free."""
    service: HeritageService = app.extensions[EXTENSION]
    service.stop()
    service.files.release()
    stop_logging()


def _configure(app: APIFlask, settings: Settings) -> None:
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.resolved_database_url,
        SQLALCHEMY_ENGINE_OPTIONS=list_engine_options(
            settings.resolved_database_url,
            connections=4 * settings.threads + 8,
            wait_seconds=settings.database_wait_seconds,
        ),
        MAX_CONTENT_LENGTH=settings.max_upload_bytes + FORM_BYTES,
        MAX_FORM_PARTS=100,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES,
        VALIDATION_ERROR_STATUS_CODE=400,
        OPENAPI_VERSION="3.1.0",
        HTTP_ERROR_SCHEMA=Problem,
        VALIDATION_ERROR_SCHEMA=Problem,
    )
