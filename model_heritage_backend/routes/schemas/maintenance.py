"""Imports of folders, and cleaning up."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import String
from apiflask.validators import Length


class ImportRequest(Schema):
    folder = String(
        required=True, validate=Length(1, 4096), metadata={"example": "/srv/checkpoints"}
    )
