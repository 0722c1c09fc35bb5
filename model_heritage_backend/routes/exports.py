"""Genealogies as files and in a graph database."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.interop.export import FORMATS
from model_heritage_backend.routes.schemas.exports import ExportQuery, FamilyQuery, Pushed
from model_heritage_backend.routes.views import get_service

MEDIA_TYPES = sorted({chosen.media_type for chosen in FORMATS.values()})
PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
RESPONSES: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {
        "description": "A file in the format that was asked for",
        "content": {
            media_type: {"schema": {"type": "object"} if media_type.endswith("json") else {}}
            for media_type in MEDIA_TYPES
        },
    },
    404: {"description": "Not Found", "content": {"application/problem+json": PROBLEM}},
}

blueprint = APIBlueprint("exports", __name__, tag="Exports")


@blueprint.get("/lineage/export")
@blueprint.input(ExportQuery, location="query")
@blueprint.doc(
    summary="The genealogy as a file",
    description="Of the whole lake, of a family, or of a model with its ancestors and descendants.",
    responses=RESPONSES,
)
def export(query_data: dict[str, Any]) -> Response:
    family, model = query_data["family"], query_data["model"]
    if family is not None and model is not None:
        raise InvalidRequest("Ask for a family or for a model, not for both.")
    file = get_service().exports.write(
        format=query_data["format"], family_id=family, model_id=model
    )
    headers = {"Content-Disposition": f'attachment; filename="{file.filename}"'}
    return Response(file.content, mimetype=file.media_type, headers=headers)


@blueprint.post("/lineage/neo4j")
@blueprint.input(FamilyQuery, location="query")
@blueprint.output(Pushed)
@blueprint.doc(
    summary="Push the genealogy to Neo4j",
    description="Of the whole lake or of a family; what the database knew of it is replaced.",
    responses=[404, 409, 502],
)
def push_to_neo4j(query_data: dict[str, Any]) -> dict[str, int]:
    return get_service().exports.push_to_neo4j(family_id=query_data["family"])
