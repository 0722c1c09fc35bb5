"""Queries on users and on the browsers in which somebody is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from model_heritage_backend.errors import Conflict, NotFound
from model_heritage_backend.models.account_tables import BrowserSession, User
from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.tables import ApiToken

LAST_ADMIN = "This is the last admin who can sign in; make another one first."


class Users:
    """The users of one server, disabled ones too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: User, *, only_as_first: bool = False) -> None:
        """Store a user.

        Raises
        ------
        Conflict
            When the name is taken, or ``only_as_first`` and there is a user already.
        """
        with self._database.write() as session:
            if only_as_first and session.scalar(select(func.count()).select_from(User)):
                raise Conflict("This server is set up already.")
            if session.scalar(select(User.id).where(User.name_folded == row.name_folded)):
                raise Conflict(f"There is a user {row.name!r} already.")
            session.add(row)

    def get(self, user_id: str) -> User:
        """Raises NotFound."""
        row = self.find(user_id)
        if row is None:
            raise NotFound(f"There is no user {user_id!r}.")
        return row

    def find(self, user_id: str) -> User | None:
        with self._database.read() as session:
            return session.get(User, user_id)

    def find_by_name(self, folded: str) -> User | None:
        with self._database.read() as session:
            return session.scalar(select(User).where(User.name_folded == folded))

    def list_all(self) -> list[User]:
        """By name."""
        with self._database.read() as session:
            return list(session.scalars(select(User).order_by(User.name_folded)))

    def is_empty(self) -> bool:
        with self._database.read() as session:
            return session.scalar(select(User.id).limit(1)) is None

    def change(self, user_id: str, values: Mapping[str, Any]) -> User:
        """Set columns. Whoever may do less, or has another password, is signed out everywhere.

        Raises
        ------
        NotFound
        Conflict
            When no admin would be left.
        """
        with self._database.write() as session:
            row = session.get(User, user_id)
            if row is None:
                raise NotFound(f"There is no user {user_id!r}.")
            for name, value in values.items():
                setattr(row, name, value)
            session.flush()
            if not session.scalar(select(func.count()).where(_can_administer())):
                raise Conflict(LAST_ADMIN)
            if {"password_hash", "disabled_at"} & set(values):
                session.execute(delete(BrowserSession).where(BrowserSession.user_id == user_id))
            return row

    def remove(self, user_id: str) -> None:
        """Remove a user with all sessions; tokens are revoked and stay.

        Raises
        ------
        NotFound
        Conflict
            When no admin would be left.
        """
        with self._database.write() as session:
            row = session.get(User, user_id)
            if row is None:
                raise NotFound(f"There is no user {user_id!r}.")
            session.delete(row)
            session.flush()
            if not session.scalar(select(func.count()).where(_can_administer())):
                raise Conflict(LAST_ADMIN)
            tokens = update(ApiToken).where(ApiToken.user_id == user_id)
            session.execute(tokens.where(ApiToken.revoked_at.is_(None)).values(revoked_at=now()))

    def note_seen(self, user_id: str, when: datetime) -> None:
        with self._database.write() as session:
            session.execute(update(User).where(User.id == user_id).values(last_seen_at=when))


class BrowserSessions:
    """The sessions of one server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: BrowserSession) -> None:
        """Store a session, and forget those that are over."""
        with self._database.write() as session:
            session.execute(delete(BrowserSession).where(BrowserSession.expires_at <= now()))
            session.add(row)

    def find(self, secret_hash: str) -> BrowserSession | None:
        """The session whose cookie has this hash, unless it is over."""
        query = select(BrowserSession).where(BrowserSession.secret_hash == secret_hash)
        with self._database.read() as session:
            return session.scalar(query.where(BrowserSession.expires_at > now()))

    def list_valid(
        self, *, user_id: str | None = None, token_id: str | None = None
    ) -> list[BrowserSession]:
        """Those that are not over, the newest first; of one user or token, or all."""
        query = select(BrowserSession).where(BrowserSession.expires_at > now())
        if user_id is not None:
            query = query.where(BrowserSession.user_id == user_id)
        if token_id is not None:
            query = query.where(BrowserSession.token_id == token_id)
        with self._database.read() as session:
            return list(session.scalars(query.order_by(BrowserSession.created_at.desc())))

    def is_valid(self, session_id: str) -> bool:
        query = select(BrowserSession.id).where(BrowserSession.id == session_id)
        with self._database.read() as session:
            return session.scalar(query.where(BrowserSession.expires_at > now())) is not None

    def remove(self, session_id: str) -> None:
        with self._database.write() as session:
            session.execute(delete(BrowserSession).where(BrowserSession.id == session_id))

    def note_use(self, session_id: str, when: datetime) -> None:
        change = update(BrowserSession).where(BrowserSession.id == session_id)
        with self._database.write() as session:
            session.execute(change.values(last_used_at=when))


def _can_administer() -> ColumnElement[bool]:
    return (User.role == "admin") & User.disabled_at.is_(None)
