"""The sections of ``config.yaml``: another way to write the settings, by subject.

Every option is one row: it is a setting, or it has one value that says what is done here anyway, or
it is refused with the reason. What is not listed does not exist.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

GB = 1024**3
MB = 1024**2


@dataclass(frozen=True)
class Taken:
    """An option that is a setting.

    Attributes
    ----------
    setting : its name
    factor : by which the option's number is multiplied, where their units differ
    words : the option's words for some of the setting's
    """

    setting: str
    factor: int = 1
    words: Mapping[str, str] = field(default_factory=dict)

    def translate(self, value: Any) -> Any:
        """The setting's value; what is not understood is left for the setting to refuse."""
        if self.factor != 1 and isinstance(value, int | float) and not isinstance(value, bool):
            return round(value * self.factor)
        if isinstance(value, str):
            return self.words.get(value.lower(), value)
        return value


@dataclass(frozen=True)
class Part:
    """An option that is a part of a setting, with the others of its section."""

    setting: str


@dataclass(frozen=True)
class Fixed:
    """An option of which one value is what is done, whether it is given or not."""

    value: Any
    reason: str


@dataclass(frozen=True)
class Refused:
    """An option that has no meaning here."""

    reason: str


Option = Taken | Part | Fixed | Refused
_PLACES = (
    "everything that is kept lies below root_path, so that one folder is all there is to back up"
)
_LEVELS = {level.lower(): level for level in ("DEBUG", "INFO", "WARNING", "ERROR")}
_ONE_JOB = "a worker does one job at a time; more workers are more of model-heritage worker"

SECTIONS: Mapping[str, Mapping[str, Option]] = {
    "storage": {
        "root_path": Taken("data_dir"),
        "models_path": Refused(f"{_PLACES}: models in blobs/"),
        "families_path": Refused(f"{_PLACES}: families in its database"),
        "cache_path": Refused(f"{_PLACES}: what is remembered of models in its database"),
        "force_safetensors": Taken("force_safetensors"),
        "max_storage_gb": Taken("max_storage_bytes", factor=GB),
    },
    "clustering": {
        "method": Taken("clustering_method"),
        "family_threshold": Taken("family_threshold"),
        "structural_threshold": Taken("structural_threshold"),
        "uncertainty_threshold": Taken("uncertainty_threshold"),
        "validation_factor": Taken("validation_factor"),
        "max_family_size": Taken("max_family_size"),
    },
    "weight_analysis": {
        "layer_sampling_ratio": Fixed(
            1.0, "every layer of a model is read: a lineage that overlooks some would be a guess"
        ),
        "normalization_epsilon": Refused(
            "weights are not scaled by their range, so nothing is divided by it"
        ),
        "distance_metric": Taken(
            "distance_metric",
            words={"l2": "l2_distance", "rank": "matrix_rank", "cosine": "cosine_similarity"},
        ),
        "enable_layer_weighting": Fixed(False, "all layers weigh the same in a distance"),
    },
    "mother": {
        "tree_method": Taken("tree_method"),
        "lambda_param": Taken("lambda_param"),
        "min_family_size": Fixed(2, "wherever there are two relatives, one has a parent"),
        "confidence_threshold": Taken("confidence_threshold"),
        "arborescence_algorithm": Fixed(
            "edmonds", "the least arborescence is the same, whichever algorithm finds it"
        ),
    },
    "performance": {
        "worker_concurrency": Fixed(1, _ONE_JOB),
        "batch_size_layers": Refused(
            "files are read in pieces of a few MB, so memory does not depend on their layers"
        ),
        "memory_limit_gb": Taken("memory_limit_bytes", factor=GB),
        "cache_distances": Taken("cache_distances"),
        "mmap_models": Fixed(
            False,
            "files are read and not mapped: that was faster, and a file that is cut short while it "
            "is mapped would end the server",
        ),
    },
    "neo4j": {
        "uri": Taken("neo4j_url"),
        "user": Taken("neo4j_user"),
        "password": Taken("neo4j_password"),
        "database": Taken("neo4j_database"),
        "pool_size": Taken("neo4j_pool_size"),
    },
    "redis": {option: Part("redis_url") for option in ("host", "port", "db", "password")},
    "logging": {
        "level": Taken("log_level", words=_LEVELS),
        "format": Taken("log_format"),
        "file": Taken("log_file"),
        "max_size_mb": Taken("log_file_bytes", factor=MB),
        "backup_count": Taken("log_files_kept"),
        "slow_request_seconds": Taken("slow_request_seconds"),
    },
    "api": {
        "host": Taken("host"),
        "port": Taken("port"),
        "workers": Taken("processes"),
        "reload": Fixed(False, "a server that restarts by itself is for developers: make dev"),
        "log_level": Refused("there is one log, and logging.level is its level"),
    },
}


@dataclass(frozen=True)
class Given:
    """``value`` of a setting; ``place`` and ``written`` are what whoever wrote the file calls it
    and gave it, in a unit that is ``factor`` times the setting's."""

    value: Any
    place: str
    written: Any
    factor: int = 1


def read_document(document: Mapping[Any, Any], settings: Iterable[str]) -> dict[str, Given]:
    """Settings of a ``config.yaml``: under their own names, or as options of sections.

    Parameters
    ----------
    settings : names of all settings there are

    Raises
    ------
    ValueError
        Its arguments are sentences, one for everything that is wrong.
    """
    known = list(settings)
    found: dict[str, Given] = {}
    problems: list[str] = []

    def give(setting: str, given: Given) -> None:
        if setting in found:
            problems.append(f"{given.place} and {found[setting].place} are the same setting")
        found[setting] = given

    for name, value in document.items():
        if name not in SECTIONS:
            if name in known:
                give(name, Given(value, str(name), value))
            else:
                problems.append(_tell_unknown(name, [*known, *SECTIONS], "a setting or section"))
            continue
        if value is None:
            continue
        if not isinstance(value, Mapping):
            problems.append(f"{name}: found {value!r}, allowed: options of this section")
            continue
        if name == "redis":
            parts = {key: inner for key, inner in value.items() if key in SECTIONS[name]}
            give("redis_url", Given(_join_redis(parts, problems), name, parts))
        for key, inner in value.items():
            place = f"{name}.{key}"
            option = SECTIONS[name].get(key)
            if isinstance(option, Taken):
                give(option.setting, Given(option.translate(inner), place, inner, option.factor))
            elif isinstance(option, Part):
                continue
            elif option is None:
                problems.append(_tell_unknown(key, SECTIONS[name], f"an option of {name}", place))
            else:
                problems += _refuse(place, option, inner)
    if problems:
        raise ValueError(*problems)
    return found


def _join_redis(parts: Mapping[str, Any], problems: list[str]) -> str:
    """The address of a Redis server."""
    host, port, database = (
        parts.get(name, usual) for name, usual in (("host", "localhost"), ("port", 6379), ("db", 0))
    )
    if not isinstance(host, str) or not re.fullmatch(r"[\w.-]+|\[[0-9a-fA-F:.]+\]", host):
        problems.append(f"redis.host: found {host!r}, allowed: the name or address of a machine")
    for name, number, last in (("port", port, 65535), ("db", database, 2**31 - 1)):
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= last:
            problems.append(f"redis.{name}: found {number!r}, allowed: a whole number to {last}")
    password = parts.get("password")
    secret = "" if password is None else f":{quote(str(password), safe='')}@"
    return f"redis://{secret}{host}:{port}/{database}"


def _refuse(place: str, option: Fixed | Refused, value: Any) -> list[str]:
    if isinstance(option, Refused):
        return [f"{place} is not an option here: {option.reason}; leave it out"]
    given = value.lower() if isinstance(value, str) else value
    # In Python True is 1; in a file it is not.
    if given == option.value and isinstance(given, bool) == isinstance(option.value, bool):
        return []
    shown = str(option.value).lower()
    return [f"{place}: found {value!r}, allowed: {shown}, because {option.reason}"]


def _tell_unknown(name: Any, known: Iterable[str], what: str, place: str | None = None) -> str:
    return f"{place or name!s} is not {what}{suggest(str(name), known)}"


def suggest(name: str, known: Iterable[str]) -> str:
    """``; did you mean x?`` where one of the known names is near, else nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def format_sections_table() -> str:
    """All options as Markdown, for docs/settings.md."""
    lines = ["| option | is |", "|---|---|"]
    for section, options in SECTIONS.items():
        for name, option in options.items():
            lines.append(f"| `{section}.{name}` | {_describe(option)} |")
    return "\n".join(lines)


def _describe(option: Option) -> str:
    if isinstance(option, Part):
        return f"part of `{option.setting}`"
    if isinstance(option, Taken):
        unit = {GB: ", in GB (1024³ bytes)", MB: ", in MB (1024² bytes)"}.get(option.factor, "")
        words = ", ".join(f"`{ours}` as `{word}`" for word, ours in option.words.items())
        also = f"; also {words}" if words and "info" not in option.words else ""
        return f"`{option.setting}`{unit}{also}"
    if isinstance(option, Fixed):
        return f"only `{str(option.value).lower()}`: {option.reason}"
    return f"refused: {option.reason}"
