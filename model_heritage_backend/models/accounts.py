"""Queries on users and on the browsers in which somebody is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

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
        with self._database.read() as session:
            return _get(session, user_id)

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
        """Set columns. A closed account and one with another password are signed out everywhere.

        Raises
        ------
        NotFound
        Conflict
            When no admin would be left.
        """
        with self._database.write() as session:
            row = _get(session, user_id)
            for name, value in values.items():
                setattr(row, name, value)
            _refuse_to_lose_all_admins(session)
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
            session.delete(_get(session, user_id))
            _refuse_to_lose_all_admins(session)
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

    def list_valid(self, *, owner_id: str | None = None) -> list[BrowserSession]:
        """Those that are not over, the newest first; all, or what one user began, by a password
        or a token of theirs, or one token."""
        query = select(BrowserSession).where(BrowserSession.expires_at > now())
        if owner_id is not None:
            tokens = select(ApiToken.id).where(
                or_(ApiToken.user_id == owner_id, ApiToken.id == owner_id)
            )
            query = query.where(
                or_(BrowserSession.user_id == owner_id, BrowserSession.token_id.in_(tokens))
            )
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


def _get(session: Session, user_id: str) -> User:
    row = session.get(User, user_id)
    if row is None:
        raise NotFound(f"There is no user {user_id!r}.")
    return row


def _refuse_to_lose_all_admins(session: Session) -> None:
    session.flush()
    admins = select(User.id).where(User.role == "admin", User.disabled_at.is_(None))
    if session.scalar(admins.limit(1)) is None:
        raise Conflict(LAST_ADMIN)
