"""What a file says of itself, in the words of many programs: shown, never believed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LICENCE_LENGTH, TASK_LENGTH, BASE_LENGTH, TAG_LENGTH, TAGS = 200, 100, 500, 50, 32
LICENCE_KEYS = ("license", "licence", "modelspec.license", "general.license")
LICENCE_NAME_KEYS = ("license_name", "general.license.name")
TASK_KEYS = ("pipeline_tag", "task")
TAG_KEYS = ("tags", "modelspec.tags")
BASE_KEYS = (
    "base_model",
    "base_model_name_or_path",
    "general.base_model.0.repo_url",
    "general.base_model.0.name",
    "ss_sd_model_name",
    "_name_or_path",
)
UNNAMED = frozenset({"other", "unknown", "none", ""})
"""Words that stand where a licence has no short name: its long name, if any, is told elsewhere."""


@dataclass(frozen=True)
class FileClaims:
    """``tags``: each 1..50 characters, no two the same whatever their case, at most 32."""

    licence: str | None = None
    task: str | None = None
    tags: tuple[str, ...] = ()
    base_model: str | None = None


def read_file_claims(metadata: Mapping[str, str]) -> FileClaims:
    """The claims among what a file says of itself.

    What is too long to be what its key says is passed over: claims of files come from anybody.
    """
    licence = _find(metadata, LICENCE_KEYS, LICENCE_LENGTH)
    if licence is None or licence.casefold() in UNNAMED:
        licence = _find(metadata, LICENCE_NAME_KEYS, LICENCE_LENGTH) or licence
    tags = next((metadata[key] for key in TAG_KEYS if key in metadata), "")
    return FileClaims(
        licence=licence,
        task=_find(metadata, TASK_KEYS, TASK_LENGTH),
        tags=choose_tags(tag for tag in map(_clean, tags.split(",")) if len(tag) <= TAG_LENGTH),
        base_model=_find(metadata, BASE_KEYS, BASE_LENGTH),
    )


def choose_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The first ones that are not empty, each once whatever its case."""
    chosen: dict[str, str] = {}
    for tag in tags:
        if tag and len(chosen) < TAGS:
            chosen.setdefault(tag.casefold(), tag)
    return tuple(chosen.values())


def _find(metadata: Mapping[str, str], keys: Iterable[str], limit: int) -> str | None:
    for key in keys:
        value = _clean(metadata.get(key, ""))
        if 0 < len(value) <= limit:
            return value
    return None


def _clean(text: str) -> str:
    """Without control characters and halves of surrogate pairs."""
    return re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+", " ", text).strip()
