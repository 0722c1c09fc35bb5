"""Files on their way to a server: whole, or in pieces that go on after a lost connection (tus)."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from model_heritage_backend.client.bodies import FileRange, Form, Progress
from model_heritage_backend.client.problems import UploadInterrupted, build_error
from model_heritage_backend.client.transport import Response, Transport
from model_heritage_backend.errors import (
    Conflict,
    DuplicateModel,
    HeritageError,
    InvalidRequest,
    ServerUnreachable,
)

TUS = {"Tus-Resumable": "1.0.0"}
LATER = {"Prefer": "respond-async"}
PIECE = 64 << 20
"""Bytes per request of a resumable upload, and the size from which files are sent so."""
TRIES = 5
PAUSE_SECONDS = 0.5
"""Before a lost connection is tried again; twice as long each time."""
BUSY, STOPPING = 423, 503

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Sent:
    """The model that a file has become, and the job that finds its place."""

    model_id: str
    job_id: str | None


def send_file(
    transport: Transport,
    path: Path,
    fields: Fields,
    progress: Progress | None,
    *,
    upload_id: str | None = None,
) -> Sent:
    """One file: whole when it is small, else by resumable upload."""
    if upload_id is None and path.stat().st_size < PIECE:
        return send_whole(transport, path, fields, progress)
    return send_in_pieces(transport, path, fields, progress, upload_id=upload_id)


def send_whole(transport: Transport, path: Path, fields: Fields, progress: Progress | None) -> Sent:
    """One file as the body of a request: the fast way."""
    size = path.stat().st_size
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, size)

    answer = transport.ask(
        "PUT",
        "/models",
        params=[("filename", path.name), *fields],
        data=FileRange(path, 0, size, advance),
        headers=LATER | {"Content-Type": "application/octet-stream"},
    )
    return Sent(answer["model_id"], answer["job_id"])


def send_parts(
    transport: Transport, parts: Sequence[Path], fields: Fields, progress: Progress | None
) -> Sent:
    """The files of one model as a form."""
    form = Form(parts, fields, progress=progress)
    headers = LATER | {"Content-Type": form.content_type}
    answer = transport.ask("POST", "/models", data=form, headers=headers)
    return Sent(answer["model_id"], answer["job_id"])


def send_in_pieces(
    transport: Transport,
    path: Path,
    fields: Fields,
    progress: Progress | None,
    *,
    upload_id: str | None = None,
) -> Sent:
    """One file by resumable upload; ``upload_id`` continues an earlier one.

    Raises
    ------
    UploadInterrupted
        When the connection cannot be had again; the upload can go on by its id.
    """
    size = path.stat().st_size
    address = (
        _announce(transport, path, size, fields)
        if upload_id is None
        else f"/uploads/{quote(upload_id, safe='')}"
    )
    offset = 0 if upload_id is None else None
    tries = 0
    while True:
        try:
            if offset is None:
                state = transport.ask("GET", address)
                if found := _find_outcome(state, size):
                    return found
                offset = int(state["offset"])
            answer = _send_piece(transport, address, path, offset, min(size, offset + PIECE))
        except HeritageError as error:
            tries += 1
            if not _is_passing(error):
                raise
            if tries > TRIES:
                name = address.rpartition("/")[2]
                raise UploadInterrupted(error.detail, upload_id=name) from error
            offset = None
            time.sleep(PAUSE_SECONDS * 2 ** (tries - 1))
            continue
        tries = 0
        offset = int(answer.headers["Upload-Offset"])
        if progress is not None:
            progress(offset, size)
        if "Upload-Model" in answer.headers:
            return Sent(answer.headers["Upload-Model"], answer.headers.get("Upload-Job"))


def _is_passing(error: HeritageError) -> bool:
    """Whether the upload may go on: no answer, a server that is busy, or bytes of which we did not
    hear that they arrived."""
    if isinstance(error, DuplicateModel):
        return False
    return error.status in (Conflict.status, BUSY, ServerUnreachable.status, STOPPING)


def _announce(transport: Transport, path: Path, size: int, fields: Fields) -> str:
    pairs = [("filename", path.name), *fields]
    words = [f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs]
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": ",".join(words)}
    response = transport.send("POST", "/uploads", headers=headers)
    # The id alone: behind a proxy the address may be one that only the server knows.
    return f"/uploads/{response.headers['Location'].rpartition('/')[2]}"


def _find_outcome(state: Mapping[str, Any], size: int) -> Sent | None:
    """What became of an upload whose last answer was missed; None while bytes are wanted."""
    if state["length"] != size:
        raise InvalidRequest("This is not the file with which the upload began.")
    if state["problem"]:
        raise build_error(state["problem"]["status"], state["problem"])
    return Sent(state["model_id"], state["job_id"]) if state["model_id"] else None


def _send_piece(transport: Transport, address: str, path: Path, start: int, stop: int) -> Response:
    return transport.send(
        "PATCH",
        address,
        data=FileRange(path, start, stop, lambda _: None) if stop > start else b"",
        headers=TUS
        | {"Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"},
    )
