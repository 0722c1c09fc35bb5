"""What watches over a server is told."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Dict, String


class Health(Schema):
    status = String()
    version = String()


class Ready(Schema):
    status = String()
    checks = Dict(keys=String(), values=String())
