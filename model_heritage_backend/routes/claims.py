"""What people and files say of models: tags, counts, and claims of many models at once."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.claims import FIELDS
from model_heritage_backend.routes.schemas.claims import (
    FacetShape,
    ImportedClaims,
    TagList,
    TagQuery,
)
from model_heritage_backend.routes.schemas.models import ModelFilterQuery
from model_heritage_backend.routes.views import get_service

COLUMNS = ("model", *FIELDS)
EXTRA = "\0"
"""Stands for a name of cells beyond the last column; no cell of a table can be called that."""

blueprint = APIBlueprint("claims", __name__, tag="Claims")


@blueprint.get("/tags")
@blueprint.input(TagQuery, location="query")
@blueprint.output(TagList)
@blueprint.doc(summary="Tags in use, the most frequent first")
def list_tags(query_data: dict[str, Any]) -> dict[str, Any]:
    found = get_service().claims.list_tags(**query_data)
    return {"tags": [{"tag": tag, "models": number} for tag, number in found]}


@blueprint.get("/models/facets")
@blueprint.input(ModelFilterQuery, location="query")
@blueprint.output(FacetShape)
@blueprint.doc(
    summary="How many models there are of every relation, status, licence and tag",
    description="Takes the filters of `GET /models`. Of licences and tags the 50 most frequent.",
)
def count_facets(query_data: dict[str, Any]) -> dict[str, Any]:
    return asdict(get_service().facets.count(query_data["wanted"]))


@blueprint.post("/claims")
@blueprint.output(ImportedClaims)
@blueprint.doc(
    summary="Take in claims of many models, as CSV or JSON",
    description="Every row names a model (id, checksum or exact name) and says something of it. "
    "What is left out or, in CSV, empty stays as it is. Rows that cannot be applied are listed.",
    responses=[400, 413, 415],
)
def import_claims() -> dict[str, Any]:
    imported = get_service().claims.take_in(_read_rows())
    return asdict(imported)


def _read_rows() -> list[dict[str, Any]]:
    if request.mimetype == "text/csv":
        return _read_table(request.get_data())
    if not request.is_json:
        raise UnsupportedMediaType("Send the claims as text/csv or application/json.")
    rows = request.get_json()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidRequest("The claims are not a list of objects.")
    return rows


def _read_table(data: bytes) -> list[dict[str, Any]]:
    try:
        text = data.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), restkey=EXTRA, strict=True)
        header = [name.strip().lower() for name in reader.fieldnames or ()]
        unknown = [name for name in header if name not in COLUMNS]
        if "model" not in header or unknown or len(set(header)) < len(header):
            raise InvalidRequest(f"The first line must name the columns: {', '.join(COLUMNS)}.")
        reader.fieldnames = header
        # An empty cell says nothing, so that a table can be filled in little by little.
        return [
            {key: value for key, value in row.items() if value or key == "model"} for row in reader
        ]
    except UnicodeDecodeError:
        raise InvalidRequest("The table is not UTF-8 text.") from None
    except csv.Error as error:
        raise InvalidRequest(f"The table is not valid CSV: {error}.") from None
