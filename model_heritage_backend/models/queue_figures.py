"""How much work waits, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.tables import JOB_STATES, Job


@dataclass(frozen=True)
class QueueFigures:
    """``states`` counts the jobs of every state; ``oldest_seconds`` is how long the oldest of those
    that wait has waited, 0 when none does."""

    states: dict[str, int]
    oldest_seconds: float


def read_queue(database: Database) -> QueueFigures:
    with database.read() as session:
        counts = session.execute(select(Job.state, func.count()).group_by(Job.state)).all()
        oldest: datetime | None = session.scalar(
            select(func.min(Job.created_at)).where(Job.state == "queued")
        )
    states = dict.fromkeys(JOB_STATES, 0) | {row[0]: row[1] for row in counts}
    waited = 0.0 if oldest is None else (now() - oldest).total_seconds()
    # Clocks may be set back.
    return QueueFigures(states, max(waited, 0.0))
