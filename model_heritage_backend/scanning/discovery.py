"""Which files below a folder are checkpoints to be read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.scanning.hub import find_blobs, name_snapshots
from model_heritage_backend.weights.checkpoint_set import is_part, is_weights
from model_heritage_backend.weights.parts import is_archive_of_weights, list_parts

ARCHIVE = ".zip"


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A checkpoint's place: a file, or the folder of its parts.

    ``shown`` is its path relative to the folder that was searched, as readable text, or its name in
    a cache of the Hugging Face hub; ``size`` counts all parts.
    """

    path: Path
    shown: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """Files in the order of their paths. Left out are links that lead elsewhere, and parts of
    models that the same folder holds in a better format, too; ``closed`` are folders that may not
    be listed (all as shown paths).
    """

    files: tuple[FoundFile, ...]
    links_out: tuple[str, ...]
    repeated: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


def find_checkpoints(folder: Path, *, follow_hub: bool = False) -> Found:
    """All files below ``folder`` with a checkpoint's ending, and ZIP archives of such, by path.

    Hidden files and folders are left out. Links to folders are not followed, so no loop can form.
    A link to a file is read where the file lies below the folder too and would not be found
    otherwise (model hubs link from readable names to nameless blobs); each file is read once.

    Parameters
    ----------
    follow_hub : within the Hugging Face hub's folder of one model, follow links to its blobs,
        though they lie beside the snapshots
    """
    root = folder.resolve()
    closed: list[Path] = []
    plain = sorted(_walk(root, closed), key=lambda path: path.relative_to(root).parts)
    links = [path for path in plain if path.is_symlink()]
    files = [path for path in plain if not path.is_symlink()]
    read = set(files)
    links_out = []
    within = [root, *(find_blobs(root) if follow_hub else ())]
    for link in links:
        # Unlike Path.resolve, this bears links that lead in a circle.
        target = Path(os.path.realpath(link))
        inside = any(target.is_relative_to(place) for place in within)
        if target.is_symlink() or not inside or not target.is_file():
            links_out.append(show_path(link.relative_to(root)))
        elif target not in read:
            read.add(target)
            files.append(link)
    sets = _find_sets(files)
    whole = {part for parts in sets.values() for part in parts}
    repeated = [p for p in files if p.parent in sets and p not in whole and is_part(p.name)]
    whole.update(repeated)
    sizes = {path: _measure(path) for path in files}
    found = {path: sizes[path] for path in files if path not in whole}
    found |= {folder: sum(_measure(p) for p in parts) for folder, parts in sets.items()}
    names = name_snapshots(found)
    return Found(
        files=tuple(
            FoundFile(
                path=path,
                shown=names.get(path) or show_path(path.relative_to(root)),
                size=found[path],
            )
            for path in sorted(found, key=lambda path: path.relative_to(root).parts)
        ),
        links_out=tuple(links_out),
        repeated=tuple(show_path(path.relative_to(root)) for path in repeated),
        closed=tuple(sorted(show_path(path.relative_to(root)) for path in closed)),
    )


def _find_sets(files: Iterable[Path]) -> dict[Path, list[Path]]:
    """Folders whose checkpoints are the parts of one model, with these parts."""
    sets = {}
    for folder in sorted({path.parent for path in files if is_part(path.name)}):
        try:
            parts = list_parts(folder)
        except HeritageError:
            # Several models, or parts missing: each file is read, or refused, by itself.
            continue
        if len(parts) > 1:
            sets[folder] = parts
    return sets


def show_path(path: Path) -> str:
    """The path with forward slashes, as text that can be written as UTF-8."""
    return os.fsencode(path.as_posix()).decode(errors="replace")


def _measure(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        # Gone since it was listed: reading it will say so.
        return 0


def _walk(folder: Path, closed: list[Path]) -> Iterator[Path]:
    """Files that may be checkpoints; what cannot be listed is added to ``closed``."""

    def note(error: OSError) -> None:
        closed.append(Path(error.filename))

    # Links to folders are not followed.
    for place, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(place, name)
            if name.startswith(".") or not (is_weights(name) or name.lower().endswith(ARCHIVE)):
                continue
            if not (path.is_symlink() or path.is_file()):
                continue
            # Most archives are not of models, and where a link leads is not known yet.
            if is_weights(name) or (not path.is_symlink() and is_archive_of_weights(path)):
                yield path
