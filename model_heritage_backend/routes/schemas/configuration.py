"""The settings in force."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import List, Nested, Raw, String
from apiflask.validators import OneOf

ORIGINS = ("command", "environment", "file", "default")


class SettingShape(Schema):
    name = String()
    value = Raw(
        metadata={
            "description": "Without secrets",
            "type": ["null", "boolean", "number", "string", "array", "object"],
        }
    )
    unit = String()
    origin = String(validate=OneOf(ORIGINS))
    place = String(metadata={"description": "What it is called there; empty for a default"})
    help = String()


class SettingList(Schema):
    settings = List(Nested(SettingShape))
