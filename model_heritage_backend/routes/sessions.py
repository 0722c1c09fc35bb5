"""Sessions of browsers: a signed cookie that names a token, and no more.

The token is looked up at every request, so that a session ends with it.
"""

from __future__ import annotations

import hashlib

from flask import Response, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from model_heritage_backend.errors import NotSignedIn

COOKIE = "model_heritage_session"
PATH = "/api"
SALT = "model-heritage session"


class Sessions:
    """Writing and reading the cookie.

    Parameters
    ----------
    key : the secret that signs it
    hours : how long it is valid
    """

    def __init__(self, key: bytes, *, hours: float) -> None:
        self._seconds = round(hours * 3600)
        self._signer = URLSafeTimedSerializer(
            key, salt=SALT, signer_kwargs={"digest_method": hashlib.sha256}
        )

    def begin(self, response: Response, token_id: str) -> None:
        response.set_cookie(
            COOKIE,
            self.write(token_id),
            max_age=self._seconds,
            path=PATH,
            secure=_came_by_https(),
            httponly=True,
            samesite="Strict",
        )

    def end(self, response: Response) -> None:
        response.delete_cookie(
            COOKIE, path=PATH, secure=_came_by_https(), httponly=True, samesite="Strict"
        )

    def write(self, token_id: str) -> str:
        return str(self._signer.dumps(token_id))

    def read(self, cookie: str) -> str:
        """The id of the token that somebody signed in with.

        Raises
        ------
        NotSignedIn
            When the cookie is not from here, or too old.
        """
        try:
            token_id = self._signer.loads(cookie, max_age=self._seconds)
        except BadSignature:
            raise NotSignedIn("Your session has ended; sign in again.") from None
        return str(token_id)


def _came_by_https() -> bool:
    """Whether the browser speaks https, also with a proxy that does not say so."""
    return request.is_secure or request.headers.get("Origin", "").startswith("https://")
