"""The commands below ``config``: settings from config.yaml and the environment."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import typer

from model_heritage_backend.cli.serve import require_server
from model_heritage_backend.errors import HeritageError


def run_show(*, changed: bool, as_json: bool) -> int:
    """Print the settings.

    Raises
    ------
    InvalidRequest
        When they are not valid, or the server's packages are not installed.
    """
    require_server()
    from model_heritage_backend.config import load_settings
    from model_heritage_backend.config_report import describe_settings
    from model_heritage_backend.config_sources import find_config_file

    rows = [row for row in describe_settings(load_settings()) if not (changed and row.is_default)]
    path = find_config_file()
    if as_json:
        settings = {
            row.name: {"value": row.value, "from": row.origin, "as": row.place or None}
            for row in rows
        }
        typer.echo(json.dumps({"file": path and str(path), "settings": settings}, indent=2))
        return 0
    typer.echo(f"# {path or 'no config.yaml'}")
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        value = row.value if isinstance(row.value, str) else json.dumps(row.value)
        unit = f" {row.unit}" if row.unit and row.value is not None else ""
        place = "" if row.place in ("", row.name) else f" {row.place}"
        typer.echo(f"{row.name:{width}}  {value}{unit}  # {row.origin}{place}")
    return 0


def run_check(*, as_json: bool) -> int:
    """Print what is wrong with the settings, a line each; 1 when anything is."""
    require_server()
    problems = _find_problems()
    if as_json:
        typer.echo(json.dumps({"valid": not problems, "problems": problems}, indent=2))
    for problem in problems if not as_json else ():
        typer.echo(problem)
    if not problems and not as_json:
        from model_heritage_backend.config_sources import find_config_file

        read = "" if find_config_file() else " There is no config.yaml among them."
        typer.echo(f"The settings are valid.{read}")
    return 1 if problems else 0


def _find_problems() -> list[str]:
    from model_heritage_backend.config import load_settings
    from model_heritage_backend.server import check_door

    try:
        settings = load_settings()
        check_door(settings)
    except HeritageError as error:
        return [error.detail]
    return _check_folders(settings)


def _check_folders(settings: Any) -> list[str]:
    problems = []
    existing: Path = settings.data_dir
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        problems.append(f"data_dir: {existing} is not a folder.")
    elif not os.access(existing, os.W_OK | os.X_OK):
        problems.append(f"data_dir: {existing} cannot be written by this user.")
    problems += [
        f"import_roots: there is no folder {root}."
        for root in settings.import_roots
        if not root.is_dir()
    ]
    return problems
