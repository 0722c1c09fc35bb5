"""The tables. Counts (members, children, edges) are queried, never kept.

Order of the file: the lake (models, families, edges, ghosts), what is known of each file
(fingerprints, shapes, evidence), human statements, work, and records.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import String, Text

from model_heritage_backend.models.database import Base, UtcDateTime, now

JOB_KINDS = ("process", "reprocess", "rebuild", "recluster", "import", "cleanup", "delete")
ROLES = ("viewer", "editor", "admin")
JOB_STATES = ("queued", "running", "done", "failed", "cancelled")


def _in(column: str, *values: str) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Model(Base):
    """One stored checkpoint. Parent, confidence and relation repeat its main edge, and licence
    what is said of it, in the form that is looked for: for lists."""

    __tablename__ = "models"
    __table_args__ = (
        CheckConstraint(_in("status", "processing", "ok", "error"), name="status"),
        CheckConstraint("confidence_score BETWEEN 0 AND 1", name="confidence_score"),
        CheckConstraint("parent_id <> id", name="parent_id"),
        Index("ix_models_name_folded_id", "name_folded", "id"),
        Index("ix_models_created_at_id", "created_at", "id"),
        Index("ix_models_total_parameters_id", "total_parameters", "id"),
        Index("ix_models_file_size_id", "file_size", "id"),
        Index("ix_models_confidence_score_id", "confidence_score", "id"),
        Index("ix_models_family_id_id", "family_id", "id"),
        # Filters with the order that lists have unless another is asked for.
        Index("ix_models_relation_name", "relation", "name_folded", "id"),
        Index("ix_models_licence_name", "licence", "name_folded", "id"),
        Index("ix_models_status_name", "status", "name_folded", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    name_folded: Mapped[str] = mapped_column(String(600))
    description: Mapped[str] = mapped_column(Text, default="")
    filename: Mapped[str] = mapped_column(String(255))
    format: Mapped[str] = mapped_column(String(32))
    file_path: Mapped[str] = mapped_column(String(255))
    weights_uri: Mapped[str] = mapped_column(String(255))
    file_size: Mapped[int] = mapped_column(BigInteger)
    checksum: Mapped[str] = mapped_column(String(64), unique=True)
    total_parameters: Mapped[int] = mapped_column(BigInteger)
    layer_count: Mapped[int]
    structural_hash: Mapped[str] = mapped_column(String(64), index=True)
    dtypes: Mapped[dict[str, int]] = mapped_column(JSON)
    quality: Mapped[list[str]] = mapped_column(JSON)
    claims: Mapped[dict[str, str]] = mapped_column(JSON)
    family_id: Mapped[str | None] = mapped_column(ForeignKey("families.id", ondelete="SET NULL"))
    parent_id: Mapped[str | None] = mapped_column(
        ForeignKey("models.id", ondelete="SET NULL"), index=True
    )
    confidence_score: Mapped[float | None]
    relation: Mapped[str | None] = mapped_column(String(16))
    licence: Mapped[str | None] = mapped_column(String(600))
    # The user or token that brought it. No foreign key: either may be gone before the model.
    owner_id: Mapped[str | None] = mapped_column(String(40), index=True)
    status: Mapped[str] = mapped_column(String(16), default="processing")
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Family(Base):
    """Models believed to share a root. ``root_id`` has no foreign key: models point here already,
    and two tables that point at each other can neither be created nor changed in order."""

    __tablename__ = "families"
    __table_args__ = (CheckConstraint("root_confidence BETWEEN 0 AND 1", name="root_confidence"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    given_name: Mapped[str | None] = mapped_column(String(200))
    root_id: Mapped[str | None] = mapped_column(String(40))
    root_confidence: Mapped[float]
    method: Mapped[str] = mapped_column(String(32))
    ghost_limit: Mapped[str | None] = mapped_column(String(16))
    # What the tree was made of: an equal name means that solving again would change nothing.
    solved_from: Mapped[str | None] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Parentage(Base):
    """One edge, parent -> child. ``is_main`` is false for further parents of a merge only."""

    __tablename__ = "parentages"
    __table_args__ = (
        CheckConstraint("child_id <> parent_id", name="ends"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        CheckConstraint("distance >= 0", name="distance"),
        # The database itself refuses a second main parent.
        Index(
            "uq_parentages_main_child",
            "child_id",
            unique=True,
            sqlite_where=text("is_main"),
            postgresql_where=text("is_main"),
        ),
    )

    child_id: Mapped[str] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True
    )
    parent_id: Mapped[str] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    family_id: Mapped[str] = mapped_column(
        ForeignKey("families.id", ondelete="CASCADE"), index=True
    )
    is_main: Mapped[bool]
    coefficient: Mapped[float | None]
    relation: Mapped[str] = mapped_column(String(16), index=True)
    distance: Mapped[float]
    confidence: Mapped[float]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)


class GhostRow(Base):
    """A possible missing ancestor of a family."""

    __tablename__ = "ghosts"
    __table_args__ = (CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),)

    family_id: Mapped[str] = mapped_column(
        ForeignKey("families.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    children: Mapped[list[str]] = mapped_column(JSON)
    confidence: Mapped[float]
    parent_id: Mapped[str | None] = mapped_column(String(40))
    distances: Mapped[list[float]] = mapped_column(JSON, server_default="[]")


class FingerprintRow(Base):
    """A model's fingerprint. ``admitted`` once the engine has been asked to place the model:
    others may only then be compared with it."""

    __tablename__ = "fingerprints"

    model_id: Mapped[str] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int]
    level: Mapped[str] = mapped_column(String(16))
    admitted: Mapped[bool] = mapped_column(default=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class MatrixShape(Base):
    """Index of the shapes of a model's matrices: finds candidate relatives without a scan."""

    __tablename__ = "matrix_shapes"
    __table_args__ = ({"sqlite_with_rowid": False},)

    shape: Mapped[str] = mapped_column(String(80), primary_key=True)
    model_id: Mapped[str] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Structure(Base):
    """What the matrices of some models are called and how large they are, in their order."""

    __tablename__ = "structures"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    matrices: Mapped[list[Any]] = mapped_column(JSON)


class RouteRow(Base):
    """A thousand bytes of a model that propose relatives among very many; adapters have none.

    Numbers are never given twice: a copy of this table knows by them what it lacks.
    """

    __tablename__ = "routes"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), unique=True)
    structure: Mapped[str] = mapped_column(String(64), index=True)
    route: Mapped[bytes] = mapped_column(LargeBinary)


class EdgeEvidence(Base):
    """Cache of what reading two files said; files never change, so neither does this."""

    __tablename__ = "edge_evidence"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Constraint(Base):
    """What a person states about models: it outweighs the weights' evidence.

    ``model_id`` is of all kinds but split, ``parent_id`` of confirm and forbid.
    """

    __tablename__ = "constraints"
    __table_args__ = (
        CheckConstraint(_in("kind", "confirm", "forbid", "root", "split"), name="kind"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    model_id: Mapped[str | None] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), index=True
    )
    parent_id: Mapped[str | None] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), index=True
    )
    author: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class SplitMember(Base):
    """A model on one of the two sides of a split."""

    __tablename__ = "split_members"

    constraint_id: Mapped[str] = mapped_column(
        ForeignKey("constraints.id", ondelete="CASCADE"), primary_key=True
    )
    model_id: Mapped[str] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    inside: Mapped[bool]


class Job(Base):
    """Work to do or done. This table is the truth: a restart runs what is not finished."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(_in("kind", *JOB_KINDS), name="kind"),
        CheckConstraint(_in("state", *JOB_STATES), name="state"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
    )

    # Work is done in the order it was asked for: the number gives the order, the id is opaque.
    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="queued", index=True)
    stage: Mapped[str] = mapped_column(String(200), default="waiting")
    progress: Mapped[float] = mapped_column(default=0.0)
    # No foreign keys: a job's record outlives what it was about.
    model_id: Mapped[str | None] = mapped_column(String(40), index=True)
    family_id: Mapped[str | None] = mapped_column(String(40))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    max_attempts: Mapped[int] = mapped_column(default=3, server_default="3")
    # Who runs it, and until when nobody else may.
    worker: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_asked: Mapped[bool] = mapped_column(default=False, server_default=false())
    error: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When what people see of it last changed; renewing the lease does not count.
    updated_at: Mapped[datetime] = mapped_column(
        UtcDateTime, default=now, server_default="1970-01-01 00:00:00"
    )
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Revision(Base):
    """A family as it was after one change. No foreign keys: history outlives what it tells of."""

    __tablename__ = "revisions"
    __table_args__ = (Index("uq_revisions_family_id_number", "family_id", "number", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[str] = mapped_column(String(40))
    number: Mapped[int]
    cause: Mapped[str] = mapped_column(String(16))
    model_id: Mapped[str | None] = mapped_column(String(40))
    model_name: Mapped[str | None] = mapped_column(String(200))
    statement: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    author: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    came_from: Mapped[list[str]] = mapped_column(JSON)
    went_to: Mapped[list[str]] = mapped_column(JSON)
    snapshot: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class ApiToken(Base):
    """A token that may call the API; only the SHA-256 of its text is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (CheckConstraint(_in("role", *ROLES), name="role"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    # Whose it is. No foreign key: revoked, it outlives its user for the record of changes.
    user_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def state(self) -> str:
        """Now: "valid", "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        expired = self.expires_at is not None and self.expires_at <= now()
        return "expired" if expired else "valid"


class AuditEntry(Base):
    """Who did what to which thing. In SQLite, triggers refuse to change or remove a row."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
