"""The record of changes: rows are added, and never changed or removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from model_heritage_backend.models.database import Database
from model_heritage_backend.models.tables import AuditEntry

SUBJECT_LENGTH = 80


@dataclass(frozen=True)
class AuditPage:
    """``next_before`` is the number that the following page begins before; None at the end."""

    entries: list[AuditEntry]
    next_before: int | None


class AuditLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Record that ``actor`` asked for ``action`` on ``subject`` (cut at 80 characters)."""
        entry = AuditEntry(
            actor=actor, action=action, subject=subject[:SUBJECT_LENGTH], detail=dict(detail)
        )
        with self._database.write() as session:
            session.add(entry)

    def list_page(
        self, *, limit: int, before: int | None, who: str | None = None, method: str | None = None
    ) -> AuditPage:
        """The newest first.

        Parameters
        ----------
        who : part of a name, or a whole id
        method : what was asked for, of HTTP
        """
        query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
        if who:
            name = AuditEntry.detail["name"].as_string()
            query = query.where(or_(name.icontains(who, autoescape=True), AuditEntry.actor == who))
        if method is not None:
            query = query.where(AuditEntry.action == method)
        if before is not None:
            query = query.where(AuditEntry.id < before)
        with self._database.read() as session:
            entries = list(session.scalars(query))
        more, entries = len(entries) > limit, entries[:limit]
        return AuditPage(entries, entries[-1].id if more else None)
