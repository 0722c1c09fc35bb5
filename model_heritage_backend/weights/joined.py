"""Several files, in a folder or an archive, as one checkpoint."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import yaml

from model_heritage_backend.errors import (
    HeritageError,
    InvalidWeights,
    UnsupportedFormat,
)
from model_heritage_backend.weights.checkpoint_set import (
    is_weights,
    load_json,
)
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.members import Archive, check_unpacked
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.parts import (
    OpenOne,
    choose_parts,
    list_names,
    open_in,
    read_text,
)
from model_heritage_backend.weights.tensors import LazyTensor, Weights
from model_heritage_backend.weights.zip_directory import locate_records, read_directory

ADAPTER_CONFIG = "adapter_config.json"
CONFIG = "config.json"
README = "README.md"
CLAIMED = ("base_model", "license", "license_name", "tags", "pipeline_tag")
"""What the head of a repository's README may claim of its model."""

HEAD_LENGTH = 20_000

OpenPart = Callable[[OpenFile, Limits], Weights]


class JoinedWeights(Weights):
    """The tensors of several open files; they close with it.

    Parameters
    ----------
    parts : name -> open part
    tensors : of all of them
    metadata : claims beside theirs
    closing : closes them and what they lie in
    """

    def __init__(
        self,
        parts: Mapping[str, Weights],
        tensors: Mapping[str, LazyTensor],
        metadata: Mapping[str, str],
        closing: ExitStack,
    ) -> None:
        self._closing = closing
        formats = sorted({part.format for part in parts.values()})
        self.format = formats[0] if len(parts) == 1 else f"{formats[0]}-sharded"
        claims = {key: text for one in parts.values() for key, text in one.metadata.items()}
        self.metadata = {**claims, **metadata}
        self.tied = {name: other for one in parts.values() for name, other in one.tied.items()}
        self._tensors = tensors

    def close(self) -> None:
        self._closing.close()


def _collect(
    parts: Mapping[str, Weights], places: Mapping[str, str] | None
) -> dict[str, LazyTensor]:
    if places is not None:
        for name, place in places.items():
            if name not in parts[place] and name not in parts[place].tied:
                raise InvalidWeights(
                    f"The index places tensor {quote(name)} in {quote(place)}, which lacks it."
                )
        return {n: parts[place][n] for n, place in places.items() if n in parts[place]}
    tensors: dict[str, LazyTensor] = {}
    for part in parts.values():
        for name, tensor in part.items():
            if name in tensors:
                raise InvalidWeights(f"Two parts hold a tensor {quote(name)}.")
            tensors[name] = tensor
    return tensors


def open_folder(folder: Path, limits: Limits, open_part: OpenPart) -> Weights:
    """A folder that holds one model: its parts, or one of several formats.

    Raises
    ------
    InvalidWeights
        When it holds none or several, or parts are missing or contradict the index.
    """
    return _join(list_names(folder), open_in(folder), limits, open_part)


def open_archive(file: OpenFile, limits: Limits, open_part: OpenPart) -> Weights:
    """A ZIP file of one model's files; all in one of its folders, packed by deflate or not at all.

    Raises
    ------
    UnsupportedFormat
        When no file in it has a name that weights have.
    InvalidWeights
        As ``open_folder``, and for archives that are damaged or claim too much.
    """
    entries = read_directory(file, limits)
    entries = {n: e for n, e in entries.items() if not n.endswith("/")}
    folders = {n.rpartition("/")[0] for n in entries if is_weights(n.rpartition("/")[2])}
    if not folders:
        raise UnsupportedFormat("This is a ZIP archive without weights, which cannot be read.")
    if len(folders) > 1:
        raise InvalidWeights(
            "This archive holds weights in several folders: add every model by itself."
        )
    folder = folders.pop()
    records = locate_records(file, entries, limits, deflated=True)
    here = {
        n.rpartition("/")[2]: record
        for n, record in records.items()
        if n.rpartition("/")[0] == folder
    }

    check_unpacked(records.values(), file.size, limits)
    archive = Archive(file)
    return _join(
        sorted(here), lambda name: archive.open_member(here[name]), limits, open_part, outer=file
    )


def _join(
    names: Sequence[str],
    open_one: OpenOne,
    limits: Limits,
    open_part: OpenPart,
    *,
    outer: OpenFile | None = None,
) -> Weights:
    with ExitStack() as closing:
        if outer is not None:
            closing.callback(outer.close)
        chosen = choose_parts(names, open_one, limits)
        parts: dict[str, Weights] = {}
        for name in chosen.parts:
            file = open_one(name)
            closing.callback(file.close)
            try:
                parts[name] = open_part(file, limits)
            except HeritageError as error:
                raise type(error)(f"In {quote(name)}: {error.detail}") from None
        metadata = _read_claims(names, open_one, limits)
        tensors = _collect(parts, chosen.places)
        return JoinedWeights(parts, tensors, metadata, closing.pop_all())


def _read_claims(names: Sequence[str], open_one: OpenOne, limits: Limits) -> dict[str, str]:
    """What the texts beside the weights say about the model: shown, never believed."""
    claims: dict[str, str] = {}
    if README in names:
        claims |= parse_front_matter(read_text(README, open_one, limits))
    if ADAPTER_CONFIG in names:
        content = load_json(read_text(ADAPTER_CONFIG, open_one, limits), "adapter's configuration")
        base = content.get("base_model_name_or_path") if isinstance(content, dict) else None
        if isinstance(base, str):
            claims["base_model"] = base
    if CONFIG in names:
        claims |= parse_config(read_text(CONFIG, open_one, limits))
    return claims


def parse_config(text: str) -> dict[str, str]:
    """The claim in a transformers configuration: what the model was loaded from, at some time."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    origin = content.get("_name_or_path") if isinstance(content, dict) else None
    return {"_name_or_path": origin} if isinstance(origin, str) and origin else {}


def parse_front_matter(text: str) -> dict[str, str]:
    """The claims in the head of a README: YAML between two lines of dashes."""
    head = re.match(r"---[ \t]*\r?\n(.*?)\r?\n---", text[:HEAD_LENGTH], re.DOTALL)
    try:
        content = yaml.safe_load(head[1]) if head else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    claims = {}
    for key in CLAIMED:
        value = content.get(key)
        values = value if isinstance(value, list) else [value]
        texts = [str(v) for v in values if isinstance(v, str | int | float)]
        if texts:
            claims[key] = ", ".join(texts)
    return claims
