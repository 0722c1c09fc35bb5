"""Resumable uploads as the tus protocol 1.0.0 has them; what it leaves open is in docs/api.md."""

from __future__ import annotations

import contextlib
import functools
import socket
from email.utils import format_datetime
from typing import Any

from apiflask import APIBlueprint, APIFlask
from flask import Response, request
from werkzeug.exceptions import ClientDisconnected, UnsupportedMediaType

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.reception import Reception
from model_heritage_backend.routes.access import get_identity
from model_heritage_backend.routes.schemas.claims import choose_claims
from model_heritage_backend.routes.schemas.models import Placed
from model_heritage_backend.routes.schemas.resumable import (
    AppendHeaders,
    CreateHeaders,
    Join,
    TusHeaders,
    UploadShape,
)
from model_heritage_backend.routes.tus import (
    ALGORITHMS,
    BYTES,
    EXTENSIONS,
    VERSION,
    MethodOverride,
    UnsupportedVersion,
    parse_checksum,
    parse_metadata,
)
from model_heritage_backend.routes.views import Answer, answer_upload, get_service, show_time
from model_heritage_backend.services.resumable import Body

PREFIX = "/api"
IDLE_SECONDS = 60.0
"""A sender that is silent for so long is taken for gone."""

blueprint = APIBlueprint("resumable", __name__, tag="Resumable uploads")


def add_resumable_uploads(app: APIFlask) -> None:
    app.register_blueprint(blueprint, url_prefix=PREFIX)
    # As Flask documents it; its type is a method's.
    app.wsgi_app = MethodOverride(  # type: ignore[method-assign]
        app.wsgi_app, prefix=f"{PREFIX}/uploads"
    )


@blueprint.before_request
def check_version() -> None:
    if request.method in ("OPTIONS", "GET") or request.endpoint == "resumable.join_uploads":
        return
    if request.headers.get("Tus-Resumable") != VERSION:
        raise UnsupportedVersion(f"Send the header Tus-Resumable: {VERSION}.")


@blueprint.after_request
def tell_version(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    if request.method == "OPTIONS" or response.status_code == UnsupportedVersion.status:
        response.headers["Tus-Version"] = VERSION
    if request.method == "OPTIONS":
        response.headers["Tus-Extension"] = EXTENSIONS
        response.headers["Tus-Checksum-Algorithm"] = ",".join(ALGORITHMS)
        response.headers["Tus-Max-Size"] = str(get_service().files.max_file_bytes)
    return response


@blueprint.post("/uploads")
@blueprint.input(CreateHeaders, location="headers")
@blueprint.output({}, status_code=201)
@blueprint.doc(
    summary="Announce a resumable upload, perhaps with its first bytes",
    description="Tus 1.0.0: creation and creation-with-upload. The length must be known.",
    responses=[400, 409, 412, 413, 415, 422, 423, 460, 507],
)
def create_upload(headers_data: dict[str, Any]) -> Response:
    for name in ("Upload-Defer-Length", "Upload-Concat"):
        if name in request.headers:
            raise InvalidRequest(f"{name} is not supported: tell the Upload-Length of one file.")
    reception = get_service().resumable.create(
        headers_data["length"],
        metadata=parse_metadata(headers_data["metadata"]),
        sent_metadata=headers_data["metadata"],
        body=_get_body(headers_data) if _has_bytes() else None,
        owner_id=get_identity().owner_id,
    )
    headers = {"Location": f"{PREFIX}/uploads/{reception.record.id}"}
    return Response(status=201, headers=_list_headers(reception) | headers)


@blueprint.get("/uploads/<upload_id>")
@blueprint.output(UploadShape)
@blueprint.doc(
    summary="How far an upload is, and what became of it",
    description="As HEAD it is the question of tus 1.0.0 for the offset.",
    responses=[404],
)
def get_upload(upload_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    reception = get_service().resumable.get(upload_id)
    headers = _list_headers(reception) | {"Upload-Length": str(reception.record.length)}
    if reception.record.sent_metadata:
        headers["Upload-Metadata"] = reception.record.sent_metadata
    return show_upload(reception), 200, headers


@blueprint.patch("/uploads/<upload_id>")
@blueprint.input(AppendHeaders, location="headers")
@blueprint.output({}, status_code=204)
@blueprint.doc(
    summary="Send bytes; the last ones make the model",
    description="Tus 1.0.0. The answer to the last bytes names the model and the job that places "
    "it, in Upload-Model and Upload-Job, or says why the file is refused.",
    responses=[400, 404, 409, 412, 413, 415, 422, 423, 460, 507],
)
def append_bytes(upload_id: str, headers_data: dict[str, Any]) -> Response:
    if not _has_bytes():
        raise UnsupportedMediaType(f"Send the bytes as {BYTES}.")
    reception = get_service().resumable.append(
        upload_id, offset=headers_data["offset"], body=_get_body(headers_data)
    )
    return Response(status=204, headers=_list_headers(reception))


@blueprint.delete("/uploads/<upload_id>")
@blueprint.input(TusHeaders, location="headers")
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="Forget an upload; a model that it became stays", responses=[404, 412, 423])
def delete_upload(upload_id: str, headers_data: dict[str, Any]) -> Response:  # noqa: ARG001 (checked)
    get_service().resumable.delete(upload_id)
    return Response(status=204)


@blueprint.post("/uploads/complete")
@blueprint.input(Join)
@blueprint.output(Placed, status_code=201)
@blueprint.doc(
    summary="Make one model of uploads that wait as its parts",
    description="With `Prefer: respond-async` the answer is 202 and names a job.",
    responses=[400, 404, 409, 413, 415, 422, 423, 507],
)
def join_uploads(json_data: dict[str, Any]) -> Answer:
    service = get_service()
    wait = "respond-async" not in request.headers.get("Prefer", "")
    upload = service.resumable.join(
        json_data["uploads"],
        name=json_data["name"],
        description=json_data["description"],
        said=choose_claims(json_data),
        wait=wait,
        owner_id=get_identity().owner_id,
    )
    return answer_upload(service, upload)


def show_upload(reception: Reception) -> dict[str, Any]:
    record, problem = reception.record, reception.record.problem
    return {
        "id": record.id,
        "filename": record.metadata.get("filename", ""),
        "name": record.metadata.get("name", ""),
        "offset": reception.offset,
        "length": record.length,
        "state": record.state.value,
        "model_id": record.model_id,
        "job_id": record.job_id,
        "existing_id": record.existing_id,
        "problem": problem and problem | {"type": f"/problems/{problem['type']}"},
        "expires_at": show_time(get_service().resumable.get_expiry(reception)),
    }


def _list_headers(reception: Reception) -> dict[str, str]:
    record = reception.record
    expiry = get_service().resumable.get_expiry(reception)
    headers = {
        "Upload-Offset": str(reception.offset),
        "Upload-Expires": format_datetime(expiry, usegmt=True),
        "Upload-Model": record.model_id or "",
        "Upload-Job": record.job_id or "",
        "Cache-Control": "no-store",
    }
    return {name: value for name, value in headers.items() if value}


def _has_bytes() -> bool:
    """Whether a body of the protocol's kind is sent.

    Raises
    ------
    UnsupportedMediaType
        When one of another kind is.
    """
    if request.mimetype == BYTES:
        return True
    if request.mimetype or request.content_length:
        raise UnsupportedMediaType(f"Send the bytes as {BYTES}.")
    return False


def _get_body(headers: dict[str, Any]) -> Body:
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        # A connection that died unnoticed must not hold its upload for ever.
        connection.settimeout(IDLE_SECONDS)
    return Body(
        read=read_body,
        expected=request.content_length,
        check=parse_checksum(headers["checksum"]),
        interrupt=functools.partial(_end_reading, connection),
    )


def read_body(size: int) -> bytes:
    """The next bytes of the body; none when the sender has gone, too."""
    try:
        return request.stream.read(size)
    except (OSError, ClientDisconnected):
        return b""


def _end_reading(connection: socket.socket | None) -> None:
    """What waits for bytes of this connection sees its end."""
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RD)
