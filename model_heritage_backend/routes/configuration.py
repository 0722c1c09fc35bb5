"""The settings that the server was started with, as far as they are safe to show."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint, APIFlask
from flask import current_app

from model_heritage_backend.config import Settings
from model_heritage_backend.config_report import describe_settings
from model_heritage_backend.routes.access import needs
from model_heritage_backend.routes.schemas.configuration import SettingList
from model_heritage_backend.services.access import Role

SETTINGS = "model_heritage_settings"
blueprint = APIBlueprint("configuration", __name__, tag="Lake")


def keep_settings(app: APIFlask, settings: Settings) -> None:
    """Describe them now: the file may change while the server runs."""
    app.extensions[SETTINGS] = [asdict(row) for row in describe_settings(settings)]


@blueprint.get("/settings")
@needs(Role.ADMIN)
@blueprint.output(SettingList)
@blueprint.doc(
    summary="The settings in force, and where each comes from",
    description="Passwords are masked, also those within addresses. They change with a restart.",
)
def list_settings() -> dict[str, Any]:
    return {"settings": current_app.extensions[SETTINGS]}
