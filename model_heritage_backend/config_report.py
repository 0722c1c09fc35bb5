"""The settings in force: what each is, where it comes from, and no secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from model_heritage_backend.config import Settings, load_settings
from model_heritage_backend.config_sources import find_config_file, find_origin, read_file

MASK = "********"
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


@dataclass(frozen=True)
class Setting:
    """``value`` is JSON-ready; ``origin`` is command, environment, file or default, and ``place``
    what the setting is called there."""

    name: str
    value: Any
    unit: str
    origin: str
    place: str
    help: str

    @property
    def is_default(self) -> bool:
        return self.origin == "default"


def describe_settings(settings: Settings) -> list[Setting]:
    """Every setting, in the order of their table. What neither the environment nor the file says
    was named by a command."""
    file = read_file(find_config_file(), Settings.model_fields)
    usual = load_settings()
    rows = []
    for name, info in Settings.model_fields.items():
        extra = info.json_schema_extra
        value = getattr(settings, name)
        named = {} if value == getattr(usual, name) else {name: value}
        origin, place = find_origin(name, info, file, named)
        rows.append(
            Setting(
                name=name,
                value=show_value(value),
                unit=str(extra["unit"]) if isinstance(extra, dict) else "",
                origin=origin,
                place=place,
                help=info.description or "",
            )
        )
    return rows


def show_value(value: Any) -> Any:
    """A setting's value for JSON, without the passwords in it, also those within addresses."""
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, tuple | list):
        return [show_value(part) for part in value]
    if isinstance(value, Mapping):
        return {str(name): show_value(part) for name, part in value.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value) if not isinstance(value, Path) else value.as_posix()
    return _CREDENTIALS.sub(f"{MASK}@", text)
