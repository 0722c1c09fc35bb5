"""Imports of folders, and cleaning up."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import String
from apiflask.validators import Length, Regexp


class ImportRequest(Schema):
    folder = String(
        required=True,
        validate=[Length(1, 4096), Regexp(r"^/[^\x00]*$", error="Give the full path.")],
        metadata={"example": "/srv/checkpoints"},
    )
