"""Passwords: what is accepted, and what is kept of them.

scrypt (RFC 7914) of the standard library, with the cost that OWASP names for it: 16 MiB of memory
and five rounds. Each hash says its own cost, so that a later one can be raised.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import unicodedata

from model_heritage_backend.errors import InvalidRequest

LEAST, MOST = 12, 200
LOG_N, BLOCK, ROUNDS = 14, 8, 5
SALT_BYTES, HASH_BYTES = 16, 32
AT_ONCE = threading.BoundedSemaphore(2)
"""Hashing is slow by design: many who sign in together must not take all processors and memory."""


def check_password(password: str, *, name: str) -> None:
    """Whether it may be somebody's password: long, and not the name.

    Raises
    ------
    InvalidRequest
    """
    if not LEAST <= len(password) <= MOST:
        raise InvalidRequest(f"A password has {LEAST} to {MOST} characters.")
    if name.casefold() in password.casefold() and len(password) - len(name) < LEAST // 2:
        raise InvalidRequest("The password is hardly more than the name.")
    if len(set(password)) < LEAST // 3:
        raise InvalidRequest("The password repeats the same few characters.")


def hash_password(password: str) -> str:
    """What is kept of a password.

    Returns
    -------
    ``scrypt$<log2 n>$<r>$<p>$<salt>$<hash>``, the last two in base64
    """
    salt = secrets.token_bytes(SALT_BYTES)
    digest = _scrypt(password, salt, LOG_N, BLOCK, ROUNDS)
    shown = (base64.b64encode(part).decode() for part in (salt, digest))
    return "$".join(("scrypt", str(LOG_N), str(BLOCK), str(ROUNDS), *shown))


def is_password(password: str, kept: str | None) -> bool:
    """Whether this is the password that was kept; as slow when there is none."""
    if kept is None:
        _scrypt(password, bytes(SALT_BYTES), LOG_N, BLOCK, ROUNDS)
        return False
    _, log_n, block, rounds, salt, digest = kept.split("$")
    found = _scrypt(password, base64.b64decode(salt), int(log_n), int(block), int(rounds))
    return hmac.compare_digest(found, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, log_n: int, block: int, rounds: int) -> bytes:
    # The same letters may be written in several ways, depending on the keyboard.
    text = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    memory = 2 * 128 * block * 2**log_n
    with AT_ONCE:
        return hashlib.scrypt(
            text, salt=salt, n=2**log_n, r=block, p=rounds, maxmem=memory, dklen=HASH_BYTES
        )
