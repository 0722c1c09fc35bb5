"""Models: list, detail, upload, change, compare."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request, send_file
from werkzeug.datastructures import FileStorage

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.bundles import BUNDLE_NAME, bundle
from model_heritage_backend.models.staged_files import StagedFile
from model_heritage_backend.routes.access import get_identity, refuse_others
from model_heritage_backend.routes.links import link_next
from model_heritage_backend.routes.preferences import wants_async
from model_heritage_backend.routes.schemas.claims import choose_claims
from model_heritage_backend.routes.schemas.common import (
    ModelShape,
    Responses,
    describe_bytes,
)
from model_heritage_backend.routes.schemas.models import (
    Comparison,
    FullLineage,
    Identified,
    IdentifyForm,
    ModelChange,
    ModelDetail,
    ModelList,
    ModelListQuery,
    Placed,
    UploadForm,
    UploadQuery,
)
from model_heritage_backend.routes.views import (
    Answer,
    answer_upload,
    get_service,
    show_model,
    show_placed,
)

RECIPE_NAME = "merge-recipe.yaml"

DOWNLOAD: Responses = {
    200: describe_bytes("The whole file"),
    206: describe_bytes("The range that was asked for"),
    404: "Not found",
    412: "The state has changed",
    416: "The file has no such range",
    503: "The storage of the files does not answer",
}

RECIPE: Responses = {
    200: {
        "description": "The configuration",
        "content": {"application/yaml": {"schema": {"type": "object"}}},
    },
    404: "Not found",
}

blueprint = APIBlueprint("models", __name__, tag="Models")


@blueprint.get("/models")
@blueprint.input(ModelListQuery, location="query")
@blueprint.output(ModelList)
@blueprint.doc(
    summary="List models; search by name",
    description='The header `Link` with `rel="next"` leads to the page that follows.',
)
def list_models(query_data: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    page = get_service().lake.list_page(**query_data)
    answer = {
        "models": [show_model(view) for view in page.views],
        "total": page.total,
        "next_cursor": page.next_cursor,
    }
    return answer, 200, link_next(page.next_cursor)


@blueprint.post("/models")
@blueprint.input(UploadForm, location="form_and_files")
@blueprint.output(Placed, status_code=201)
@blueprint.doc(
    summary="Upload a model (multipart)",
    description="With `Prefer: respond-async` the answer is 202 and names a job.",
    responses=[400, 409, 413, 415, 422, 507],
)
def upload_form(form_and_files_data: dict[str, Any]) -> Answer:
    with _sent_file() as (staged, filename):
        return _upload(
            staged,
            filename=filename,
            name=form_and_files_data["name"],
            description=form_and_files_data["description"],
            said=choose_claims(form_and_files_data),
        )


@blueprint.put("/models")
@blueprint.input(UploadQuery, location="query")
@blueprint.output(Placed, status_code=201)
@blueprint.doc(
    summary="Upload a model (raw body, as curl -T does)",
    responses=[400, 409, 413, 415, 422, 507],
)
def upload_raw(query_data: dict[str, Any]) -> Answer:
    name = query_data["name"] or query_data["filename"]
    if not name:
        raise InvalidRequest("Give the model a name: PUT /api/models?name=...")
    with get_service().files.receive(
        request.stream.read, expected_bytes=request.content_length
    ) as staged:
        return _upload(
            staged,
            filename=query_data["filename"] or name,
            name=query_data["name"],
            description=query_data["description"],
            said=choose_claims(query_data),
        )


@blueprint.get("/models/<model_id>")
@blueprint.output(ModelDetail)
@blueprint.doc(summary="One model with its parents and children", responses=[404])
def get_model(model_id: str) -> dict[str, Any]:
    service = get_service()
    view = service.lake.get(model_id)
    lineage = service.management.get_model_lineage(model_id)
    return show_model(view) | {"lineage": lineage}


@blueprint.patch("/models/<model_id>")
@blueprint.input(ModelChange)
@blueprint.output(ModelShape)
@blueprint.doc(
    summary="Change name, description or declared metadata",
    description="A field that is left out stays as it is; null takes back what was declared.",
    responses=[400, 404],
)
def change_model(model_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    service = get_service()
    service.edit(
        model_id,
        name=json_data.get("name"),
        description=json_data.get("description"),
        said=choose_claims(json_data),
    )
    return show_model(service.lake.get(model_id))


@blueprint.delete("/models/<model_id>")
@blueprint.output({}, status_code=204)
@blueprint.doc(
    summary="Delete a model and its file",
    description="Editors may delete what they have brought themselves, admins everything.",
    responses=[403, 404],
)
def delete_model(model_id: str) -> tuple[str, int]:
    service = get_service()
    refuse_others(service.lake.get(model_id).row.owner_id)
    service.deletion.delete_model(model_id)
    return "", 204


@blueprint.get("/models/<model_id>/lineage")
@blueprint.output(FullLineage)
@blueprint.doc(summary="Parents, children, siblings, ancestors, descendants", responses=[404])
def get_lineage(model_id: str) -> dict[str, Any]:
    return get_service().management.get_model_lineage(model_id)


@blueprint.post("/models/<model_id>/reprocess")
@blueprint.output(Placed)
@blueprint.doc(
    summary="Place a model again",
    description="202 when that takes longer than `synchronous_seconds`.",
    responses=[202, 404],
)
def reprocess_model(model_id: str) -> Answer:
    service = get_service()
    job_id, placed = service.reprocess(model_id)
    answer = show_placed(service, model_id) | {"job_id": job_id}
    return (answer, 200, {}) if placed else (answer, 202, {"Location": f"/api/jobs/{job_id}"})


@blueprint.get("/models/<model_id>/download")
@blueprint.doc(summary="The original bytes", responses=DOWNLOAD)
def download_model(model_id: str) -> Response:
    service = get_service()
    row = service.lake.get(model_id).row
    file = service.sound_files.open(row.checksum, whole="Range" not in request.headers)
    response = send_file(
        file,  # type: ignore[arg-type]  # (it wants BinaryIO, and only reads)
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=row.filename,
        etag=row.checksum,
        last_modified=row.created_at,
        conditional=False,
    )
    response.content_length = file.size
    response.make_conditional(request, accept_ranges=True, complete_length=file.size)
    response.headers["Content-Security-Policy"] = "sandbox"
    return response


@blueprint.get("/models/<model_id>/merge-recipe")
@blueprint.doc(summary="How a merge was made, as a mergekit configuration", responses=RECIPE)
def get_merge_recipe(model_id: str) -> Response:
    recipe = get_service().exports.write_merge_recipe(model_id)
    headers = {"Content-Disposition": f'attachment; filename="{RECIPE_NAME}"'}
    return Response(recipe, mimetype="application/yaml", headers=headers)


@blueprint.get("/models/<model_id>/compare/<other_id>")
@blueprint.output(Comparison)
@blueprint.doc(summary="What differs between two models", responses=[404, 503])
def compare(model_id: str, other_id: str) -> dict[str, Any]:
    return get_service().management.compare(model_id, other_id)


@blueprint.post("/identify")
@blueprint.input(IdentifyForm, location="form_and_files")
@blueprint.output(Identified)
@blueprint.doc(
    summary="Where does this file belong? Nothing is stored",
    responses=[400, 413, 415, 422],
)
def identify(form_and_files_data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 (checked only)
    with _sent_file() as (staged, _):
        return get_service().intake.identify(staged)


@contextmanager
def _sent_file() -> Iterator[tuple[StagedFile, str]]:
    """The file of a form, streamed into staging by the application's request class; several, as
    the parts of one model, in one archive.
    """
    parts: list[tuple[StagedFile, str]] = []
    for file in request.files.getlist("file"):
        if not isinstance(file.stream, StagedFile):
            raise InvalidRequest("The field 'file' must be a file.")
        parts.append((file.stream, _get_filename(file)))
    if not parts:
        raise InvalidRequest("Send one file in the field 'file', or the parts of one model.")
    staged, filename = parts[0]
    if len(parts) > 1:
        staged = bundle(get_service().files, parts)
        filename = BUNDLE_NAME
    with staged:
        yield staged, filename


def _get_filename(file: FileStorage) -> str:
    if not file.filename:
        raise InvalidRequest("The uploaded file has no name.")
    return file.filename


def _upload(
    staged: StagedFile, *, filename: str, name: str, description: str, said: dict[str, Any]
) -> Answer:
    service = get_service()
    upload = service.intake.upload(
        staged,
        filename=filename,
        name=name,
        description=description,
        said=said,
        wait=not wants_async(),
        owner_id=get_identity().owner_id,
    )
    return answer_upload(service, upload)
