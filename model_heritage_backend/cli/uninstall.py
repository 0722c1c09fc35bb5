"""What stays on a machine when the program goes: ``make uninstall`` prints it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from model_heritage_backend.config import Settings, load_settings
from model_heritage_backend.config_sources import find_config_file
from model_heritage_backend.errors import HeritageError
from model_heritage_backend.places import find_home


def list_left(settings: Settings, config: Path | None) -> Iterator[tuple[str, Path]]:
    """What it is, and where, of everything that is there."""
    cache = find_home("XDG_CACHE_HOME", ".cache")
    places = (
        ("all models, their database, and who may come in", settings.data_dir),
        ("backups", settings.backup_folder),
        ("settings", config),
        ("what scan remembers of files; it can be made again", cache),
    )
    for what, place in places:
        if place is not None and place.exists():
            yield what, place


def main() -> int:
    """Print it; nothing is removed."""
    try:
        left = list(list_left(load_settings(), find_config_file()))
    except HeritageError as error:
        print(error.detail, file=sys.stderr)
        return 1
    if not left:
        print("Model Heritage leaves nothing behind.")
    else:
        print("Left where it is; remove it yourself if you are sure:")
    for what, place in left:
        print(f"  {place}  ({what})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
