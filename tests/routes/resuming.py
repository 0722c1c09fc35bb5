"""Speaking tus 1.0.0 in tests."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

VERSION = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


def encode_metadata(**words: str) -> str:
    return ",".join(
        f"{key} {base64.b64encode(word.encode()).decode()}" for key, word in words.items()
    )


def encode_checksum(content: bytes, algorithm: str = "sha1") -> str:
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


def announce(
    client: FlaskClient, length: int, *, headers: dict[str, str] | None = None, **words: str
) -> TestResponse:
    words = words or {"filename": "a.safetensors"}
    sent = {"Upload-Length": str(length), "Upload-Metadata": encode_metadata(**words)}
    return client.post("/api/uploads", headers=VERSION | sent | (headers or {}))


def create(client: FlaskClient, length: int, **words: str) -> str:
    """The new upload's address."""
    answer = announce(client, length, headers=None, **words)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def append(
    client: FlaskClient, url: str, offset: int, content: bytes, **headers: str
) -> TestResponse:
    sent = VERSION | {"Upload-Offset": str(offset), "Content-Type": BYTES}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.patch(url, data=content, headers=sent | given)


def find_offset(client: FlaskClient, url: str) -> int:
    answer = client.head(url, headers=VERSION)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return int(answer.headers["Upload-Offset"])


def send(client: FlaskClient, content: bytes, **words: str) -> tuple[str, TestResponse]:
    """Announce and send in two requests; address, last answer."""
    url = create(client, len(content), **words)
    half = len(content) // 2
    assert append(client, url, 0, content[:half]).status_code == 204
    return url, append(client, url, half, content[half:])


def get_state(client: FlaskClient, url: str) -> dict[str, Any]:
    answer = client.get(url)
    assert answer.status_code == 200
    state: dict[str, Any] = answer.get_json()
    return state
