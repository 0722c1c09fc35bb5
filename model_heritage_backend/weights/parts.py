"""Which files make up a checkpoint, by their names and indexes alone; no numerics are loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from model_heritage_backend.errors import HeritageError, InvalidRequest, InvalidWeights
from model_heritage_backend.weights.checkpoint_set import (
    CheckpointSet,
    choose_set,
    find_index,
    is_weights,
)
from model_heritage_backend.weights.limits import Limits, get_limits
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.zip_directory import read_directory

OpenOne = Callable[[str], OpenFile]


def list_parts(path: Path, *, limits: Limits | None = None) -> list[Path]:
    """The files whose bytes are the checkpoint at ``path``: itself, or the parts in a folder.

    Raises
    ------
    InvalidWeights
        When a folder does not hold exactly one model.
    """
    if not path.is_dir():
        return [path]
    names = list_names(path)
    chosen = choose_parts(names, open_in(path), limits or get_limits())
    return [path / name for name in chosen.parts]


def list_names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise InvalidRequest(f"The folder cannot be read: {error.strerror}.") from None


def open_in(folder: Path) -> OpenOne:
    return lambda name: OpenFile(folder / name)


def is_archive(file: OpenFile, limits: Limits) -> bool:
    """Whether a file is a ZIP of files with weights, rather than of a format of its own."""
    if file.size < 4 or file.read_bytes(0, 4) != b"PK\3\4":
        return False
    try:
        return any(is_weights(PurePosixPath(n).name) for n in read_directory(file, limits))
    except InvalidWeights:
        return False


def choose_parts(names: Sequence[str], open_one: OpenOne, limits: Limits) -> CheckpointSet:
    index = find_index(names)
    text = None if index is None else read_text(index, open_one, limits)
    return choose_set(names, text, limits)


def read_text(name: str, open_one: OpenOne, limits: Limits) -> str:
    file = open_one(name)
    try:
        if file.size > limits.index_bytes:
            raise InvalidWeights(f"{quote(name)} is too long to be what its name says.")
        return file.read_bytes(0, file.size).decode(errors="replace")
    finally:
        file.close()


def is_archive_of_weights(path: Path) -> bool:
    """Whether this is a ZIP archive that has files with weights in it."""
    try:
        file = OpenFile(path)
    except HeritageError:
        return False
    try:
        return is_archive(file, get_limits())
    finally:
        file.close()
