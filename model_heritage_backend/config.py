"""The one table of settings: name, default, unit, help, environment name.

Later sources win: defaults, then ``config.yaml`` (path by ``MODEL_HERITAGE_CONFIG``), then the
environment. ``config_table`` writes this table for docs/settings.md; nothing else reads the
environment. The file may also
use the sections of ``config_sections``; where a value came from, and what is wrong with it, is for
``config_sources`` to tell.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from model_heritage_backend.config_sources import (
    PREFIX,
    find_config_file,
    find_unknown_variables,
    list_sentences,
    read_file,
    tell_problems,
)
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.places import IS_CHECKOUT, PROJECT, find_home

SQLITE_PREFIX = "sqlite:///"
INVALID = "The settings are not valid."


def _default_data_dir() -> Path:
    return PROJECT / "uploads" if IS_CHECKOUT else find_home("XDG_DATA_HOME", ".local/share")


def _setting(default: Any, help_text: str, *, unit: str = "", **limits: Any) -> Any:
    return Field(default, description=help_text, json_schema_extra={"unit": unit}, **limits)


class Settings(BaseSettings):
    """Every setting of the server. Values are checked when the object is made."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, populate_by_name=True
    )

    data_dir: Path = _setting(
        _default_data_dir(),
        "Folder of everything the server keeps: database, files, files being received",
    )
    host: str = _setting("127.0.0.1", "Address to listen on; 0.0.0.0 for all", min_length=1)
    port: int = _setting(5001, "Port to listen on", ge=1, le=65535)
    access: Literal["open", "token", "login"] = _setting(
        "open",
        "Who may do what: open lets everyone who reaches the server do everything, token asks for "
        "a token, login for a user's password or a token (docs/security.md)",
    )
    open_beyond_loopback: bool = _setting(
        False, "Whether a server with open access may listen beyond this machine"
    )
    session_hours: float = _setting(
        12.0, "How long a sign-in lasts in a browser", unit="hours", gt=0, le=8760
    )
    trusted_proxies: int = _setting(
        0,
        "How many proxies of your own stand before the server, and add X-Forwarded-For",
        ge=0,
        le=8,
    )
    user_header: str | None = _setting(
        None,
        "With access login: the header in which a proxy names the user, such as X-Forwarded-User",
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$",
    )
    user_header_from: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = _setting(
        (), "Addresses or networks of the proxies that may name the user, separated by commas"
    )
    user_header_role: Literal["viewer", "editor"] = _setting(
        "viewer", "Role of a user whom the proxy names for the first time"
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = _setting(
        (),
        "Names by which the server may be asked, separated by commas; without any, a server with "
        "open access is asked as localhost, by its address or its own name, others by any",
    )
    changes_per_minute: int = _setting(
        1200,
        "Changes that one token or user, or one address, may ask for in a minute; 0 for any "
        "number. Not with open access",
        ge=0,
    )
    max_models: int | None = _setting(None, "Most models that are kept", ge=1)
    max_storage_bytes: int | None = _setting(None, "Most that all models take", unit="bytes", ge=1)
    max_models_per_owner: int | None = _setting(
        None, "Most models that one user, or one token without a user, may bring", ge=1
    )
    max_bytes_per_owner: int | None = _setting(
        None, "Most that the models of one owner take", unit="bytes", ge=1
    )
    database_url: str | None = Field(
        None,
        description="SQLAlchemy address of the database; without it, app.db in the data folder",
        json_schema_extra={"unit": ""},
        validation_alias=AliasChoices("database_url", "DATABASE_URL"),
    )
    redis_url: str | None = Field(
        None,
        description="Redis over which jobs go to workers of their own (`model-heritage worker`); "
        "needs PostgreSQL. Without it, the server does them itself",
        json_schema_extra={"unit": ""},
        validation_alias=AliasChoices("redis_url", "REDIS_URL"),
        pattern=r"^(rediss?|unix)://",
    )
    storage_url: str | None = _setting(
        None,
        "S3-compatible storage for the files of models, as s3://bucket/prefix; credentials, region "
        "and endpoint are those of the usual AWS_ variables. Without it, they are in the data "
        "folder (docs/scale-out.md)",
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?$",
    )
    storage_cache_bytes: int = _setting(
        10 * 1024**3,
        "Of the data folder's disk, for files of that storage that were read lately",
        unit="bytes",
        ge=0,
    )
    processes: int = _setting(
        1, "Processes that serve requests; more than one needs PostgreSQL", ge=1, le=64
    )
    database_wait_seconds: float = _setting(
        15.0,
        "How long a change waits for others that use the database before the answer is 503",
        unit="seconds",
        gt=0,
        le=600,
    )
    disk_reserve_bytes: int = _setting(
        64 * 1024**2,
        "What uploads leave free on the disk, for the database; they are refused with 507 before",
        unit="bytes",
        ge=0,
    )
    max_upload_bytes: int = _setting(
        5 * 1024**3, "Largest file that is accepted", unit="bytes", ge=1
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = _setting(
        ("http://localhost:5173",),
        "Other sites whose pages may call the API, separated by commas; * for all",
    )
    synchronous_seconds: float = _setting(
        120.0,
        "How long an upload waits for its place in the family tree before the answer is 202",
        unit="seconds",
        ge=0,
        le=3600,
    )
    upload_expiry_hours: float = _setting(
        24.0,
        "How long an unfinished resumable upload is kept after its last byte",
        unit="hours",
        gt=0,
        le=8760,
    )
    max_unfinished_bytes: int = _setting(
        50 * 1024**3,
        "Announced lengths of all unfinished resumable uploads together",
        unit="bytes",
        ge=1,
    )
    threads: int = _setting(8, "Requests that are answered at the same time", ge=2, le=256)
    fingerprint_cache_bytes: int = _setting(
        256 * 1024**2, "Memory for fingerprints in use", unit="bytes", ge=0
    )
    solver_processes: int = _setting(
        2,
        "Processes that solve the families of a large lake while it is reclustered, each with some "
        "200 MB of memory; they begin with that job and end with it",
        ge=1,
        le=64,
    )
    reader_limits: dict[str, int] = _setting(
        {},
        "Bounds on what a checkpoint may ask of its reader where they differ from docs/formats.md, "
        'as JSON: {"tensors": 200000}',
    )
    neo4j_url: str | None = _setting(
        None,
        "Neo4j server to which genealogies may be pushed, such as neo4j://localhost:7687",
        pattern=r"^(neo4j|bolt)(\+s|\+ssc)?://[^@\s]+$",
    )
    neo4j_user: str = _setting("neo4j", "Who writes to Neo4j", min_length=1)
    neo4j_password: SecretStr = _setting(SecretStr(""), "Password of that user")
    neo4j_database: str | None = _setting(
        None, "Neo4j database of Model Heritage alone; without it, the server's default"
    )
    neo4j_pool_size: int = _setting(10, "Connections to Neo4j at the same time", ge=1, le=1000)
    import_roots: Annotated[tuple[Path, ...], NoDecode] = _setting(
        (),
        "Folders of the server from which, and from below which, models may be imported, separated "
        "by colons; without any, importing is off",
    )
    memory_limit_bytes: int | None = _setting(
        None,
        "Memory that the server may take for itself; what would take more fails, and is told so",
        unit="bytes",
        ge=1024**3,
    )
    force_safetensors: bool = _setting(
        False, "Whether files of other formats than safetensors are refused"
    )
    max_family_size: int | None = _setting(
        None, "Largest family; an upload that would make one larger is refused", unit="models", ge=2
    )
    clustering_method: Literal["auto", "threshold", "dbscan", "kmeans"] = _setting(
        "auto", "How families are found; auto is the test of relatedness (docs/method.md)"
    )
    family_threshold: float = _setting(
        0.3,
        "Of the other methods: largest distance within a family, as a share of what strangers are "
        "apart",
        ge=0,
        le=100,
    )
    structural_threshold: float = _setting(
        0.8,
        "Share of a newcomer's matrices that a family must have in the same shapes to be sure of "
        "it without a closer look",
        ge=0,
        le=1,
    )
    uncertainty_threshold: float = _setting(
        0.3,
        "Distance (1 - cosine) to a family's centre from which it needs a closer look",
        ge=0,
        le=2,
    )
    validation_factor: float = _setting(
        1.2, "Diameters of a family within which the closer look is content", gt=0, le=1000
    )
    distance_metric: Literal["auto", "l2_distance", "matrix_rank", "cosine_similarity"] = _setting(
        "auto", "What clustering methods and tree methods other than ours measure distances by"
    )
    tree_method: Literal["heritage", "mother", "distance_only", "kurtosis_only"] = _setting(
        "heritage", "How a family's tree is found (docs/method.md)"
    )
    lambda_param: float = _setting(
        0.3, "Weight of the order of kurtosis in the tree method mother", ge=0, le=1000
    )
    confidence_threshold: float = _setting(
        0.5, "Edges less likely than this are shown as unresolved", ge=0, le=1
    )
    cache_distances: bool = _setting(
        True, "Whether what was measured of pairs of models is remembered for the next time"
    )
    keep_jobs_days: float = _setting(
        90.0, "How long a clean-up leaves the records of what was done", unit="days", gt=0
    )
    backup_folder: Path | None = _setting(
        None,
        "Folder for the backups that the server makes by itself, best on another disk; without it, "
        "none (docs/durability.md)",
    )
    backup_hours: float = _setting(
        24.0, "Time between two of these backups", unit="hours", gt=0, le=8760
    )
    backup_keep: int = _setting(7, "How many of them are kept", ge=1, le=10_000)
    scrub_days: float = _setting(
        30.0,
        "How often every stored file is read again, to notice damage of the disk; 0 for never",
        unit="days",
        ge=0,
        le=3650,
    )
    cleanup_days: float = _setting(
        7.0,
        "How often the server cleans up by itself (POST /api/maintenance/cleanup); 0 for never",
        unit="days",
        ge=0,
        le=3650,
    )
    job_seconds: dict[str, Annotated[float, Field(gt=0)]] = _setting(
        {},
        "Time limits of jobs by kind where they differ from process 3600, rebuild 1800, recluster "
        '7200, delete 7200, import 86400, cleanup 3600, as JSON: {"recluster": 14400}',
        unit="seconds",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting(
        "INFO", "Least important messages that are logged"
    )
    log_format: Literal["console", "json"] = _setting(
        "console", "How a line of the log is written: for people, or as a JSON object"
    )
    log_file: Path | None = _setting(
        None, "File that the log is written to as well as to standard error"
    )
    log_file_bytes: int = _setting(
        100 * 1024**2, "Length from which the log begins a new file", unit="bytes", ge=1024
    )
    log_files_kept: int = _setting(5, "Older files of the log that are kept", ge=0, le=1000)
    slow_request_seconds: float = _setting(
        10.0,
        "Requests that take longer are logged as warnings, and counted",
        unit="seconds",
        gt=0,
    )
    metrics_open: bool = _setting(
        False, "Whether /metrics is answered to whoever asks, without a token"
    )

    @field_validator("cors_origins", "allowed_hosts", "user_header_from", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("import_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part for part in value.split(os.pathsep) if part)
        return value

    @field_validator("import_roots")
    @classmethod
    def _make_roots_absolute(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(root.expanduser().absolute() for root in value)

    @model_validator(mode="after")
    def _name_proxies(self) -> Settings:
        if self.user_header is not None and not (self.user_header_from and self.access == "login"):
            raise ValueError("user_header needs access login and user_header_from")
        return self

    @field_validator("data_dir", "log_file", "backup_folder")
    @classmethod
    def _make_absolute(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().absolute()

    @model_validator(mode="after")
    def _check_sharing(self) -> Self:
        if not self.is_shared and (self.redis_url is not None or self.processes > 1):
            raise ValueError(
                "SQLite serves one process: several, or workers with REDIS_URL, need a PostgreSQL "
                "in DATABASE_URL"
            )
        if self.log_file is not None and self.processes > 1:
            raise ValueError("log_file is for one process: with several, keep standard error")
        return self

    @property
    def is_shared(self) -> bool:
        """Whether several processes may work on the database."""
        return not self.resolved_database_url.startswith("sqlite")

    @property
    def resolved_database_url(self) -> str:
        """The database's address, with the default filled in."""
        return self.database_url or f"{SQLITE_PREFIX}{self.data_dir / 'app.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the base class names it)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (likewise)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        given = read_file(find_config_file(), settings_cls.model_fields)
        values = {name: found.value for name, found in given.items()}
        return init_settings, env_settings, InitSettingsSource(settings_cls, values)


def load_settings(**overrides: Any) -> Settings:
    """Settings from every source; ``overrides`` (by setting name) win over all.

    Raises
    ------
    InvalidRequest
        When a value is not allowed; the detail names the setting and the reason.
    """
    unknown = find_unknown_variables(Settings.model_fields)
    if unknown:
        raise InvalidRequest(list_sentences(INVALID, unknown))
    try:
        return Settings(**overrides)
    except ValidationError as error:
        file = read_file(find_config_file(), Settings.model_fields)
        problems = tell_problems(error, Settings.model_fields, file, overrides)
        raise InvalidRequest(list_sentences(INVALID, problems)) from error
    except SettingsError as error:
        # Of the environment only: a value that should be JSON and is not.
        raise InvalidRequest(f"{INVALID} {error}; allowed: JSON.") from error
