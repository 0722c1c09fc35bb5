"""Tables of what people and files say of models: shown beside what the weights say, never used."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import String

from model_heritage_backend.models.database import Base

FOLDED = 3
"""Folding the case of a text makes it longer at most by this."""


class Declaration(Base):
    """What is said of one model. ``sources`` tells by field who says it: "person" or "file".

    ``base_folded`` and ``base_last`` (its part after the last slash) find the claims that a model
    may be meant by, whenever one comes, goes or is renamed.
    """

    __tablename__ = "declarations"

    model_id: Mapped[str] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True
    )
    licence: Mapped[str | None] = mapped_column(String(200))
    task: Mapped[str | None] = mapped_column(String(100))
    base_model: Mapped[str | None] = mapped_column(String(500))
    base_folded: Mapped[str | None] = mapped_column(String(FOLDED * 500), index=True)
    base_last: Mapped[str | None] = mapped_column(String(FOLDED * 500), index=True)
    base_model_id: Mapped[str | None] = mapped_column(
        ForeignKey("models.id", ondelete="SET NULL"), index=True
    )
    sources: Mapped[dict[str, str]] = mapped_column(JSON)


class ModelTag(Base):
    """A tag of a model: ``tag`` is what is looked for, ``label`` how it was written."""

    __tablename__ = "model_tags"
    __table_args__ = ({"sqlite_with_rowid": False},)

    tag: Mapped[str] = mapped_column(String(FOLDED * 50), primary_key=True)
    model_id: Mapped[str] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    label: Mapped[str] = mapped_column(String(50))


class ClaimConflict(Base):
    """Where a claim contradicts the weights. Kept up to date by ``models.conflicts``."""

    __tablename__ = "claim_conflicts"
    __table_args__ = (CheckConstraint("kind IN ('base_model', 'licence')", name="kind"),)

    model_id: Mapped[str] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    other_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), index=True)
    restrictions: Mapped[list[str]] = mapped_column(JSON)
