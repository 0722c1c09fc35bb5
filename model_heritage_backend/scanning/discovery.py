"""Which files below a folder are checkpoints to be read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.weights import list_parts
from model_heritage_backend.weights.checkpoint_set import is_part, is_weights


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A checkpoint's place: a file, or the folder of its parts.

    ``shown`` is its path relative to the folder that was searched, as readable text; ``size``
    counts all parts.
    """

    path: Path
    shown: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """Files in the order of their paths, and the links that were left out (shown paths)."""

    files: tuple[FoundFile, ...]
    links_out: tuple[str, ...]


def find_checkpoints(folder: Path) -> Found:
    """All files below ``folder`` with a checkpoint's ending, by path.

    Hidden files and folders are left out. Links to folders are not followed, so no loop can form.
    A link to a file is read where the file lies below the folder too and would not be found
    otherwise (model hubs link from readable names to nameless blobs); each file is read once.
    """
    root = folder.resolve()
    plain = sorted(_walk(root), key=lambda path: path.relative_to(root).parts)
    links = [path for path in plain if path.is_symlink()]
    files = [path for path in plain if not path.is_symlink()]
    read = set(files)
    links_out = []
    for link in links:
        # Unlike Path.resolve, this bears links that lead in a circle.
        target = Path(os.path.realpath(link))
        if target.is_symlink() or not target.is_relative_to(root) or not target.is_file():
            links_out.append(show_path(link.relative_to(root)))
        elif target not in read:
            read.add(target)
            files.append(link)
    sets = _find_sets(files)
    whole = {part for parts in sets.values() for part in parts}
    sizes = {path: _measure(path) for path in files}
    found = {path: sizes[path] for path in files if path not in whole}
    found |= {folder: sum(sizes.get(p, 0) for p in parts) for folder, parts in sets.items()}
    return Found(
        files=tuple(
            FoundFile(path=path, shown=show_path(path.relative_to(root)), size=found[path])
            for path in sorted(found, key=lambda path: path.relative_to(root).parts)
        ),
        links_out=tuple(links_out),
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


def _walk(folder: Path) -> Iterator[Path]:
    # os.walk does not follow links to folders, and passes over folders that may not be listed.
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(place, name)
            if name.startswith(".") or not is_weights(name):
                continue
            if path.is_symlink() or path.is_file():
                yield path
