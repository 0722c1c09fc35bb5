"""Checkpoints in several files: which of a folder's files belong to one model.

Large models are saved in parts beside an index that tells which part holds which tensor; model
repositories hold the same weights in several formats, and texts about them. Names alone decide
here, so that a folder and an archive of it are read alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import quote

SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".npz")
"""Of files with weights, the preferred first: where a folder holds a model in several formats, one
of them is read."""
INDEX_SUFFIX = ".index.json"
PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.\w+)")
NO_MODELS = frozenset({
    "optimizer", "scheduler", "training_args", "rng_state", "scaler", "trainer_state",
})  # fmt: skip
"""Files that training programs leave beside the weights, by their names without ending."""


@dataclass(frozen=True)
class CheckpointSet:
    """``parts``: names of the files with weights, in order. ``places``: tensor -> part, of an
    indexed set; None where every part gives all it holds."""

    parts: tuple[str, ...]
    places: Mapping[str, str] | None = None


def choose_set(names: Collection[str], index: str | None, limits: Limits) -> CheckpointSet:
    """The files of the one model among files of these names.

    Parameters
    ----------
    names : plain names of files in one folder
    index : content of the file ``find_index`` names, None without one

    Raises
    ------
    InvalidWeights
        When parts are missing, or the files are of several models.
    """
    if index is not None:
        return _read_index(names, index, limits)
    weights = sorted(n for n in names if is_weights(n))
    by_stem: dict[tuple[str, str], list[str]] = {}
    for name in weights:
        found = PART.fullmatch(name)
        key = (found["stem"], found["suffix"]) if found else (name, "")
        by_stem.setdefault(key, []).append(name)
    for suffix in SUFFIXES:
        sets = [parts for (_, _), parts in by_stem.items() if parts[0].lower().endswith(suffix)]
        if len(sets) > 1:
            shown = ", ".join(quote(parts[0]) for parts in sets[:3])
            raise InvalidWeights(
                f"These are files of several models ({shown}): add each by itself."
            )
        if sets:
            _check_complete(sets[0])
            return CheckpointSet(tuple(sets[0]))
    raise InvalidWeights("None of these files holds weights.")


def is_weights(name: str) -> bool:
    """Whether a file's name is one that weights have."""
    stem = PurePosixPath(name).stem.lower()
    return name.lower().endswith(SUFFIXES) and not any(stem.startswith(n) for n in NO_MODELS)


def is_part(name: str) -> bool:
    """Whether a file's name says that it is one of several parts."""
    return PART.fullmatch(name) is not None


def refuse_lone_part(name: str) -> None:
    """A part alone is no model, though its file can be read.

    Raises
    ------
    InvalidWeights
        When the name says that there are more.
    """
    found = PART.fullmatch(name)
    if found is not None and int(found["count"]) > 1:
        raise InvalidWeights(
            f"This is one of {int(found['count'])} parts of a model: they must come together, in "
            "one folder or one upload."
        )


def find_index(names: Collection[str]) -> str | None:
    """The index among files of these names: that of the preferred format."""
    found = [name for name in names if name.endswith(INDEX_SUFFIX)]
    order = {suffix + INDEX_SUFFIX: rank for rank, suffix in enumerate(SUFFIXES)}

    def rank(name: str) -> tuple[int, str]:
        return next((r for s, r in order.items() if name.endswith(s)), len(order)), name

    return min(found, key=rank, default=None)


def load_json(text: str, what: str) -> Any:
    """The content of a text beside the weights.

    Raises
    ------
    InvalidWeights
        When it is no JSON, or nested without end.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidWeights(f"The {what} is not valid JSON.") from None


def _read_index(names: Collection[str], text: str, limits: Limits) -> CheckpointSet:
    content = load_json(text, "index of the checkpoint")
    places = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(places, dict) or not places:
        raise InvalidWeights("The index of the checkpoint does not say where its tensors are.")
    if len(places) > limits.tensors:
        raise InvalidWeights(f"The index names more than {limits.tensors:,} tensors.")
    parts = set()
    for part in places.values():
        if not isinstance(part, str) or part != PurePosixPath(part).name:
            raise InvalidWeights("The index names a part that is no plain file name.")
        parts.add(part)
    if len(parts) > limits.parts:
        raise InvalidWeights(f"The checkpoint has more than {limits.parts:,} parts.")
    missing = sorted(parts - set(names))
    if missing:
        raise InvalidWeights(
            f"{len(missing)} of the checkpoint's {len(parts)} parts are missing, first of all "
            f"{quote(missing[0])}."
        )
    return CheckpointSet(tuple(sorted(parts)), places)


def _check_complete(parts: list[str]) -> None:
    found = PART.fullmatch(parts[0])
    if found is None:
        return
    wanted = int(found["count"])
    if len(parts) != wanted:
        raise InvalidWeights(
            f"{wanted - len(parts)} of the checkpoint's {wanted} parts are missing."
            if len(parts) < wanted
            else "The checkpoint has more parts than it counts."
        )
