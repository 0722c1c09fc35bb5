"""People who sign in: with a password, or as a trusted proxy names them."""

from __future__ import annotations

import contextlib
import hmac
import logging
import re
import secrets
import threading

from model_heritage_backend.errors import (
    Conflict,
    InsufficientStorage,
    InvalidRequest,
    NotAllowed,
    NotSignedIn,
)
from model_heritage_backend.models.account_tables import NAME_LENGTH, User
from model_heritage_backend.models.accounts import Users
from model_heritage_backend.models.database import Database, DatabaseBusy, now
from model_heritage_backend.services.access import USE_PRECISION, Identity, Role
from model_heritage_backend.services.attempts import Attempts
from model_heritage_backend.services.passwords import check_password, hash_password, is_password

NAME = re.compile(rf"[A-Za-z0-9._@+-]{{1,{NAME_LENGTH}}}")
GUESSES = 30
"""Wrong passwords for one name within a minute, from everywhere. More than one address may try,
so that nobody can lock out somebody else from where only they are wrong."""
CODE_BYTES = 9
WRONG = "The name or the password is wrong."

logger = logging.getLogger(__name__)


class AccountService:
    """Users: making them, knowing them again, and who is the first.

    While there is no user, ``set_up`` takes a code that only who reads the server's log knows.
    """

    def __init__(self, database: Database) -> None:
        self.users = Users(database)
        self._by_address = Attempts()
        self._by_name = Attempts(limit=GUESSES)
        self._code: str | None = None
        self._lock = threading.Lock()

    # The first ---------------------------------------------------------------------------------

    def offer_setup(self) -> str | None:
        """A new code for the first admin; None when there are users. An earlier code is void."""
        with self._lock:
            self._code = secrets.token_urlsafe(CODE_BYTES) if self.users.is_empty() else None
            return self._code

    @property
    def awaits_setup(self) -> bool:
        return self._code is not None

    def set_up(self, code: str, name: str, password: str, *, address: str) -> Identity:
        """Make the first user, an admin.

        Raises
        ------
        InvalidRequest
        NotAllowed
            When the code is wrong.
        Conflict
            When there is a user already.
        TooManyAttempts
        """
        self._by_address.check(address)
        with self._lock:
            if self._code is None:
                raise Conflict("This server is set up already.")
            if not hmac.compare_digest(code.encode(), self._code.encode()):
                self._by_address.note(address)
                raise NotAllowed("This is not the code that the server's log shows.")
            row = self.create(name, Role.ADMIN, password, only_as_first=True)
            self._code = None
        return _describe(row)

    # Users -------------------------------------------------------------------------------------

    def create(
        self, name: str, role: Role, password: str | None, *, only_as_first: bool = False
    ) -> User:
        """A new user. Without a password, only a trusted proxy can say that it is them.

        Raises
        ------
        InvalidRequest, Conflict
        """
        if not NAME.fullmatch(name):
            raise InvalidRequest(
                f"A name has 1 to {NAME_LENGTH} letters (a to z), digits, or . _ @ + -"
            )
        if password is not None:
            check_password(password, name=name)
        row = User(
            id=f"u_{secrets.token_hex(6)}",
            name=name,
            name_folded=name.casefold(),
            role=role.value,
            password_hash=None if password is None else hash_password(password),
            created_at=now(),
        )
        self.users.add(row, only_as_first=only_as_first)
        return row

    def change(
        self,
        user_id: str,
        *,
        role: Role | None = None,
        disabled: bool | None = None,
        password: str | None = None,
    ) -> User:
        """What admins change of others; what is None stays.

        Raises
        ------
        NotFound, InvalidRequest, Conflict
        """
        row = self.users.get(user_id)
        values: dict[str, object] = {}
        if role is not None:
            values["role"] = role.value
        if disabled is not None and disabled != (row.disabled_at is not None):
            values["disabled_at"] = now() if disabled else None
        if password is not None:
            check_password(password, name=row.name)
            values["password_hash"] = hash_password(password)
        return self.users.change(user_id, values)

    def change_password(self, user_id: str, old: str, new: str, *, address: str) -> None:
        """What people change of their own; all their sessions end.

        Raises
        ------
        InvalidRequest
        NotAllowed
            When the old password is wrong.
        TooManyAttempts
        """
        self._by_address.check(address)
        row = self.users.get(user_id)
        self._by_name.check(row.name_folded)
        if not is_password(old, row.password_hash):
            self._note_failure(address, row.name_folded)
            raise NotAllowed("The present password is wrong.")
        self.change(user_id, password=new)

    # Knowing them again ------------------------------------------------------------------------

    def verify(self, name: str, password: str, *, address: str) -> Identity:
        """Whose name and password these are.

        Raises
        ------
        NotSignedIn
            In the same words and after the same time, whatever of the two is wrong.
        TooManyAttempts
        """
        folded = name.casefold()
        self._by_address.check(address)
        self._by_name.check(folded)
        row = self.users.find_by_name(folded)
        if not is_password(password, row.password_hash if row else None):
            self._note_failure(address, folded)
            raise NotSignedIn(WRONG)
        if row is None or row.disabled_at is not None:
            raise NotSignedIn("This account is closed.")
        self._note_seen(row)
        return _describe(row)

    def recall(self, user_id: str) -> Identity:
        """Who signed in before. Raises NotSignedIn when they may not come in any more."""
        row = self.users.find(user_id)
        if row is None or row.disabled_at is not None:
            raise NotSignedIn("This account is closed.")
        return _describe(row)

    def admit(self, name: str, *, role: Role) -> Identity:
        """Who a trusted proxy says it is; somebody new becomes a user of this role.

        Raises
        ------
        NotSignedIn
            When the account is closed, or the name is none.
        """
        if not NAME.fullmatch(name):
            raise NotSignedIn("The proxy names somebody whose name cannot be one here.")
        row = self.users.find_by_name(name.casefold())
        if row is None:
            # Two first requests may come together.
            with contextlib.suppress(Conflict):
                self.create(name, role, None)
                logger.info("the proxy names %s: a new user", name)
            row = self.users.find_by_name(name.casefold())
        if row is None or row.disabled_at is not None:
            raise NotSignedIn("This account is closed.")
        self._note_seen(row)
        return _describe(row)

    def _note_failure(self, address: str, folded: str) -> None:
        self._by_address.note(address)
        self._by_name.note(folded)

    def _note_seen(self, row: User) -> None:
        present = now()
        if row.last_seen_at is None or present - row.last_seen_at >= USE_PRECISION:
            # Reading goes on when nothing can be written.
            with contextlib.suppress(DatabaseBusy, InsufficientStorage):
                self.users.note_seen(row.id, present)


def _describe(row: User) -> Identity:
    return Identity(token_id=None, user_id=row.id, name=row.name, role=Role(row.role))
