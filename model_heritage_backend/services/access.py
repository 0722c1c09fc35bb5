"""Who calls, and what they may do: tokens and their roles.

A token is ``mh_``, 12 hexadecimal digits that name it, ``_`` and 256 random bits. The database has
the SHA-256 of the whole: a salt or a slow hash would protect nothing that is random already.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from model_heritage_backend.config import Settings
from model_heritage_backend.errors import (
    Conflict,
    InsufficientStorage,
    InvalidRequest,
    NotAllowed,
    NotFound,
    NotSignedIn,
)
from model_heritage_backend.models.accounts import Users
from model_heritage_backend.models.database import Database, DatabaseBusy, now, open_engine
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.migrate import is_current, upgrade_database
from model_heritage_backend.models.tables import ROLES, ApiToken
from model_heritage_backend.models.tokens import Tokens
from model_heritage_backend.services.attempts import Attempts
from model_heritage_backend.services.texts import check_text

NAME_LENGTH = 200
SECRET_BYTES = 32
MOST_DAYS = 3650
MOST_OWN = 50
"""Valid tokens that one person may have made for themselves."""
TOKEN = re.compile(r"mh_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
NO_HASH = "0" * 64
USE_PRECISION = timedelta(minutes=1)
"""The time of the last use is not written more often: reading would mean writing."""


class Role(StrEnum):
    """What a token may do; each one everything that those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def allows(self, needed: Role) -> bool:
        return ROLES.index(self) >= ROLES.index(needed)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whoever calls.

    Attributes
    ----------
    token_id : the token that was sent, or that a session began with
    user_id : the user who signed in, or whose token it is
    session_id : the browser's session
    expires_at : when their token ends; None when it does not
    """

    token_id: str | None
    name: str
    role: Role
    expires_at: datetime | None = None
    user_id: str | None = None
    session_id: str | None = None

    @property
    def owner_id(self) -> str | None:
        """Whose the models are that they bring; None where nobody is asked."""
        return self.user_id or self.token_id


ANYONE = Identity(token_id=None, name="anyone", role=Role.ADMIN)
"""Who calls a server with open access."""


class AccessService:
    """Making tokens, and knowing them again."""

    def __init__(self, database: Database, *, attempts: Attempts | None = None) -> None:
        self.tokens = Tokens(database)
        self._users = Users(database)
        self._attempts = attempts or Attempts()

    def create(
        self, name: str, role: Role, *, days: int | None, user_id: str | None = None
    ) -> tuple[ApiToken, str]:
        """A new token: what is kept of it, and its text, which cannot be had again.

        Parameters
        ----------
        name : what people call it, at most 200 characters
        days : how long it is valid, from 1 to 3650; None for ever
        user_id : whose it is: it never may more than its user, and ends with them

        Raises
        ------
        InvalidRequest
        """
        name = check_text("name", name, NAME_LENGTH)
        if not name:
            raise InvalidRequest("A token needs a name that tells what it is for.")
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise InvalidRequest(f"A token is valid for 1 to {MOST_DAYS} days, or for ever.")
        number = secrets.token_hex(6)
        text = f"mh_{number}_{secrets.token_urlsafe(SECRET_BYTES)}"
        made = now()
        row = ApiToken(
            id=f"t_{number}",
            name=name,
            token_hash=_hash(text),
            role=role.value,
            user_id=user_id,
            created_at=made,
            expires_at=None if days is None else made + timedelta(days=days),
        )
        self.tokens.add(row)
        return row, text

    def create_own(
        self, name: str, role: Role, *, days: int | None, user_id: str, own_role: Role
    ) -> tuple[ApiToken, str]:
        """A new token that somebody makes for themselves; see ``create``.

        Raises
        ------
        InvalidRequest
        NotAllowed
            When it should be allowed more than they are.
        Conflict
            When they have ``MOST_OWN`` that are valid.
        """
        if not own_role.allows(role):
            raise NotAllowed(f"Your role is {own_role}: a token of yours cannot be {role}.")
        if sum(row.state == "valid" for row in self.tokens.list_of(user_id)) >= MOST_OWN:
            raise Conflict(f"You have {MOST_OWN} valid tokens; revoke those that nobody uses.")
        return self.create(name, role, days=days, user_id=user_id)

    def revoke_own(self, token_id: str, *, user_id: str) -> None:
        """For good. Of others, nobody learns that it is there.

        Raises
        ------
        NotFound
        """
        row = self.tokens.find(token_id)
        if row is None or row.user_id != user_id:
            raise NotFound(f"There is no token {token_id!r} of yours.")
        self.tokens.revoke(token_id)

    def find_user(self, name: str) -> str:
        """The id of the user of this name. Raises NotFound."""
        row = self._users.find_by_name(name.casefold())
        if row is None:
            raise NotFound(f"There is no user {name!r}.")
        return row.id

    def identify(self, text: str, *, address: str) -> Identity:
        """Whose token this is.

        Parameters
        ----------
        address : from where it came, for counting what fails

        Raises
        ------
        NotSignedIn
            When it is unknown, revoked or expired.
        TooManyAttempts
        """
        self._attempts.check(address)
        match = TOKEN.fullmatch(text)
        row = self.tokens.find(f"t_{match[1]}") if match else None
        # Compared in any case, and in constant time.
        same = hmac.compare_digest(_hash(text), row.token_hash if row else NO_HASH)
        if row is None or not same:
            # Only guesses count: a forgotten script with an old token locks out nobody.
            self._attempts.note(address)
            raise NotSignedIn("This is no token of this server.")
        return self._admit(row)

    def recall(self, token_id: str) -> Identity:
        """Who signed in with this token before.

        Raises
        ------
        NotSignedIn
            When the token has been revoked or has expired since.
        """
        row = self.tokens.find(token_id)
        if row is None:
            raise NotSignedIn("The token of this sign-in is not there any more.")
        return self._admit(row)

    def _admit(self, row: ApiToken) -> Identity:
        present = now()
        if row.state == "revoked":
            raise NotSignedIn("This token has been revoked.")
        if row.state != "valid":
            raise NotSignedIn("This token has expired.")
        role = Role(row.role)
        if row.user_id is not None:
            user = self._users.find(row.user_id)
            if user is None or user.disabled_at is not None:
                raise NotSignedIn("The user of this token may not come in any more.")
            role = min(role, Role(user.role), key=ROLES.index)
        if row.last_used_at is None or present - row.last_used_at >= USE_PRECISION:
            # Reading goes on when nothing can be written.
            with contextlib.suppress(DatabaseBusy, InsufficientStorage):
                self.tokens.note_use(row.id, present)
        return Identity(
            token_id=row.id,
            user_id=row.user_id,
            name=row.name,
            role=role,
            expires_at=row.expires_at,
        )


@contextlib.contextmanager
def open_access(settings: Settings) -> Iterator[AccessService]:
    """The tokens of a data folder, whether its server runs or not. Raises Conflict as
    ``open_database`` does."""
    with open_database(settings) as database:
        yield AccessService(database)


@contextlib.contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database of a data folder, up to date, whether its server runs or not.

    Raises
    ------
    Conflict
        When it must be brought up to date first, and a server has it.
    """
    files = FileStore(settings.data_dir, max_file_bytes=settings.max_upload_bytes)
    database = Database(open_engine(settings.resolved_database_url))
    try:
        if not is_current(database.engine):
            files.acquire()
            try:
                upgrade_database(database.engine)
            finally:
                files.release()
        yield database
    finally:
        database.close()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
