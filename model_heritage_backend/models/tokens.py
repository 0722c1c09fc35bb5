"""Queries on tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.account_tables import BrowserSession
from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.tables import ApiToken


class Tokens:
    """The tokens of one server, revoked and expired ones too: they tell who could do what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: ApiToken) -> None:
        with self._database.write() as session:
            session.add(row)

    def get(self, token_id: str) -> ApiToken:
        """Raises NotFound."""
        row = self.find(token_id)
        if row is None:
            raise NotFound(f"There is no token {token_id!r}.")
        return row

    def find(self, token_id: str) -> ApiToken | None:
        with self._database.read() as session:
            return session.get(ApiToken, token_id)

    def list_all(self) -> list[ApiToken]:
        """The newest first."""
        query = select(ApiToken).order_by(ApiToken.created_at.desc(), ApiToken.id)
        with self._database.read() as session:
            return list(session.scalars(query))

    def list_of(self, user_id: str) -> list[ApiToken]:
        """One user's, the newest first."""
        query = select(ApiToken).where(ApiToken.user_id == user_id)
        with self._database.read() as session:
            return list(session.scalars(query.order_by(ApiToken.created_at.desc(), ApiToken.id)))

    def revoke(self, token_id: str) -> None:
        """For good, with the sessions that it began; one that is revoked stays as it is.

        Raises
        ------
        NotFound
        """
        self.get(token_id)
        change = update(ApiToken).where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
        with self._database.write() as session:
            session.execute(change.values(revoked_at=now()))
            session.execute(delete(BrowserSession).where(BrowserSession.token_id == token_id))

    def note_use(self, token_id: str, when: datetime) -> None:
        change = update(ApiToken).where(ApiToken.id == token_id)
        with self._database.write() as session:
            session.execute(change.values(last_used_at=when))
