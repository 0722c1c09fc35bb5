"""Imports of folders, cleaning up, and what the server does for its data by itself."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Integer, List, String
from apiflask.validators import Length, Regexp


class ImportRequest(Schema):
    folder = String(
        required=True,
        validate=[Length(1, 4096), Regexp(r"^/[^\x00]*$", error="Give the full path.")],
        metadata={"example": "/srv/checkpoints"},
    )


class UpkeepState(Schema):
    backups = Integer(metadata={"description": "Whole ones in `backup_folder`"})
    last_backup_at = String(allow_none=True)
    last_verified_at = String(
        allow_none=True,
        metadata={"description": "When a backup was last read again, and found without a problem"},
    )
    backup_problem = String(
        allow_none=True,
        metadata={"description": "Why the last try failed, what it lacks, or what is damaged"},
    )
    damaged_files = List(
        String(), metadata={"description": "Checksums; these files are not given out"}
    )
