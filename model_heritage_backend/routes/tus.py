"""What the tus protocol, version 1.0.0, writes into headers."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from model_heritage_backend.errors import HeritageError, InvalidRequest
from model_heritage_backend.models.reception import Check

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
ALGORITHMS = ("sha1", "sha256")
BYTES = "application/offset+octet-stream"
TUS_HEADERS = (
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Checksum-Algorithm",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Expires",
    "Upload-Model",
    "Upload-Job",
)
OVERRIDE = "HTTP_X_HTTP_METHOD_OVERRIDE"


class UnsupportedVersion(HeritageError):
    type = "unsupported-version"
    title = "This version of the tus protocol is not spoken here"
    status = 412


class MethodOverride:
    """For clients that can send only GET and POST: below ``prefix``, ``X-HTTP-Method-Override``
    counts instead of the method, as the protocol asks."""

    def __init__(self, app: Any, *, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if OVERRIDE in environ and environ.get("PATH_INFO", "").startswith(self._prefix):
            environ["REQUEST_METHOD"] = environ[OVERRIDE].upper()
        return self._app(environ, start_response)


def parse_metadata(text: str) -> dict[str, str]:
    """The words of ``Upload-Metadata``: pairs of a key and text in base64, separated by commas.

    Raises
    ------
    InvalidRequest
    """
    metadata: dict[str, str] = {}
    for pair in text.split(",") if text.strip() else []:
        key, _, encoded = pair.strip().partition(" ")
        if not key or not key.isascii() or not key.isprintable() or key in metadata:
            raise InvalidRequest("Upload-Metadata needs keys in ASCII, each one once.")
        try:
            metadata[key] = _decode(encoded).decode("utf-8")
        except (InvalidRequest, UnicodeDecodeError):
            raise InvalidRequest(
                f"In Upload-Metadata, the value of {key[:40]!r} is not UTF-8 in base64."
            ) from None
    return metadata


def parse_checksum(text: str) -> Check | None:
    """``Upload-Checksum``: an algorithm's name and a digest in base64; None without one.

    Raises
    ------
    InvalidRequest
    """
    if not text:
        return None
    algorithm, _, encoded = text.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise InvalidRequest(f"Upload-Checksum knows {' and '.join(ALGORITHMS)}.")
    digest = _decode(encoded)
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise InvalidRequest(f"The digest in Upload-Checksum has not the length of {algorithm}.")
    return Check(algorithm, digest)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidRequest("A header is not in base64.") from None
