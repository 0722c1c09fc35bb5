"""Sessions of browsers: a random secret in a cookie, whose SHA-256 the database has.

User or token are looked up at every request, so that a session ends with them.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta

from model_heritage_backend.errors import InsufficientStorage, NotFound, NotSignedIn
from model_heritage_backend.models.account_tables import BrowserSession
from model_heritage_backend.models.accounts import BrowserSessions
from model_heritage_backend.models.database import Database, DatabaseBusy, now
from model_heritage_backend.services.access import USE_PRECISION, AccessService, Identity, Role
from model_heritage_backend.services.accounts import AccountService

SECRET_BYTES = 32
ENDED = "Your session has ended; sign in again."
ADDRESS_LENGTH, AGENT_LENGTH = 64, 200


class SessionService:
    """Beginning and ending sessions, and knowing whose they are."""

    def __init__(self, database: Database, access: AccessService, accounts: AccountService) -> None:
        self._sessions = BrowserSessions(database)
        self._access = access
        self._accounts = accounts

    def begin(self, identity: Identity, *, hours: float, address: str, agent: str) -> str:
        """The secret of a new session, for the cookie."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        by_user = identity.token_id is None
        self._sessions.add(
            BrowserSession(
                id=f"s_{secrets.token_hex(6)}",
                secret_hash=_hash(secret),
                user_id=identity.user_id if by_user else None,
                token_id=identity.token_id,
                expires_at=now() + timedelta(hours=hours),
                address=address[:ADDRESS_LENGTH],
                agent=_tidy(agent)[:AGENT_LENGTH],
            )
        )
        return secret

    def recall(self, secret: str) -> Identity:
        """Whose session this is.

        Raises
        ------
        NotSignedIn
            When it has ended, or whoever began it may not come in any more.
        """
        row = self._sessions.find(_hash(secret))
        if row is None:
            raise NotSignedIn(ENDED)
        if row.user_id is not None:
            identity = self._accounts.recall(row.user_id)
        else:
            identity = self._access.recall(str(row.token_id))
        present = now()
        if present - row.last_used_at >= USE_PRECISION:
            # Reading goes on when nothing can be written.
            with contextlib.suppress(DatabaseBusy, InsufficientStorage):
                self._sessions.note_use(row.id, present)
        return replace(identity, session_id=row.id)

    def recheck(self, identity: Identity) -> None:
        """Whether what an answer that lasts began with still holds.

        Raises
        ------
        NotSignedIn
        """
        if identity.session_id is not None and not self._sessions.is_valid(identity.session_id):
            raise NotSignedIn(ENDED)
        if identity.token_id is not None:
            self._access.recall(identity.token_id)
        elif identity.user_id is not None:
            self._accounts.recall(identity.user_id)

    def list_visible(self, identity: Identity) -> list[BrowserSession]:
        """All for admins, for others their own; the newest first."""
        everybody = identity.role is Role.ADMIN
        return self._sessions.list_valid(owner_id=None if everybody else identity.owner_id)

    def end(self, session_id: str, identity: Identity) -> None:
        """End a session; what somebody may not see is not there for them.

        Raises
        ------
        NotFound
        """
        if session_id not in {row.id for row in self.list_visible(identity)}:
            raise NotFound(f"There is no session {session_id!r}.")
        self._sessions.remove(session_id)

    def end_own(self, identity: Identity) -> None:
        if identity.session_id is not None:
            self._sessions.remove(identity.session_id)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _tidy(agent: str) -> str:
    return "".join(c for c in agent if c.isprintable())
