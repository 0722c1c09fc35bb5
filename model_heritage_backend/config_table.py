"""The table of settings as README.md and docs/settings.md have it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from model_heritage_backend.config import Settings
from model_heritage_backend.config_sources import get_variable
from model_heritage_backend.places import PROJECT

MAIN = ("data_dir", "host", "port", "access", "database_url", "max_upload_bytes")
"""Those that README.md shows."""


def list_settings() -> list[dict[str, str]]:
    """The table of settings: name, environment, default, unit, help (strings, in order)."""
    rows = []
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        default = field.default
        if isinstance(default, tuple):
            default = ",".join(default)
        elif isinstance(default, Path) and default.is_relative_to(PROJECT):
            default = default.relative_to(PROJECT)
        rows.append(
            {
                "name": name,
                "environment": get_variable(name, field),
                "default": "" if default is None else str(default),
                "unit": str(extra["unit"]) if isinstance(extra, dict) else "",
                "help": field.description or "",
            }
        )
    return rows


def format_settings_table(names: Sequence[str] = ()) -> str:
    """The table of settings as Markdown, for docs/settings.md; of some settings for README.md."""
    lines = ["| setting | environment | default | unit | meaning |", "|---|---|---|---|---|"]
    lines += [
        f"| `{row['name']}` | `{row['environment']}` | `{row['default']}` | {row['unit']} "
        f"| {row['help']} |"
        for row in list_settings()
        if not names or row["name"] in names
    ]
    return "\n".join(lines).replace("``", "")
