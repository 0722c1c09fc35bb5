"""The cache of the Hugging Face hub: ``models--ORG--NAME/snapshots/REVISION/FILE``, where every
file is a link to ``models--ORG--NAME/blobs/DIGEST``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

PREFIX, SEPARATOR = "models--", "--"
SNAPSHOTS, BLOBS = "snapshots", "blobs"
REVISION_DIGITS = 8


@dataclass(frozen=True)
class _Snapshot:
    """Where a file lies: below ``place``, the folder of one model."""

    place: Path
    revision: str
    rest: str

    @property
    def name(self) -> str:
        return self.place.name.removeprefix(PREFIX).replace(SEPARATOR, "/")


def find_blobs(folder: Path) -> list[Path]:
    """The blobs of the model in whose folder this one lies."""
    return [
        place / BLOBS
        for place in (folder, *folder.parents)
        if place.name.startswith(PREFIX) and (place / SNAPSHOTS).is_dir()
    ]


def name_snapshots(paths: Collection[Path]) -> dict[Path, str]:
    """Names as people know them, of files in such a cache: ``org/name``, with the revision where
    there are several, and the file where a snapshot has several.

    Names that two files would share are left out.
    """
    found = {path: snapshot for path in paths for snapshot in _locate(path)}
    files = Counter((snapshot.place, snapshot.revision) for snapshot in found.values())
    revisions = Counter(place for place, _ in files)
    names = {
        path: snapshot.name
        + (f"@{snapshot.revision[:REVISION_DIGITS]}" if revisions[snapshot.place] > 1 else "")
        + (f"/{snapshot.rest}" if files[snapshot.place, snapshot.revision] > 1 else "")
        for path, snapshot in found.items()
    }
    uses = Counter(names.values())
    return {path: _show(name) for path, name in names.items() if uses[name] == 1}


def _locate(path: Path) -> Iterator[_Snapshot]:
    """Where a path lies in such a cache; nothing elsewhere."""
    for number, part in enumerate(path.parts[:-2]):
        if part.startswith(PREFIX) and path.parts[number + 1] == SNAPSHOTS:
            revision, *rest = path.parts[number + 2 :]
            yield _Snapshot(Path(*path.parts[: number + 1]), revision, "/".join(rest))
            return


def _show(name: str) -> str:
    return os.fsencode(name).decode(errors="replace")
