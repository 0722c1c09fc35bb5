"""The command ``identify``: where does one file belong among known checkpoints?"""

from __future__ import annotations

import contextlib
import json as json_format
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from model_heritage_backend.cli.console import (
    STANDARD_OUTPUT,
    check_writable,
    make_console,
    print_json,
    write_text,
)
from model_heritage_backend.cli.drawing import printable
from model_heritage_backend.cli.known import Known, read_known
from model_heritage_backend.cli.scan import open_cache, read_all
from model_heritage_backend.client import Client, RemotePlace
from model_heritage_backend.errors import InvalidRequest, NotFound
from model_heritage_backend.fingerprints.restricting import restrict_rows
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import FoundFile
from model_heritage_backend.scanning.placing import Answer, Place, place_file
from model_heritage_backend.scanning.reading import Reading
from model_heritage_backend.scanning.remote.sources import is_url, name_file

if TYPE_CHECKING:
    from model_heritage_backend.cli.remote import Sampled

SURE, DECIDED = 0.9, 0.5
CHOICES = "  Or "
EXIT_CODES = {Answer.FOUND: 0, Answer.UNRESOLVED: 3, Answer.UNRELATED: 4}
UNEXPECTED = 5
"""Exit code when the parent is not the expected one."""


@dataclass(frozen=True, kw_only=True)
class IdentifyOptions:
    """How a file is placed.

    Attributes
    ----------
    expect : the parent that it is said to have: path, file name, or the beginning of its checksum
    full : read a remote file whole
    yes : do not ask before much is read
    token : for a server that asks for one
    """

    expect: str | None = None
    use_cache: bool = True
    exact: bool = True
    full: bool = False
    yes: bool = False
    token: str | None = field(default=None, repr=False)


def run_identify(file: str, against: str, *, json: str | None, options: IdentifyOptions) -> int:
    """Print the parents of a file; gives the exit code.

    Parameters
    ----------
    file : path, or address of a remote file
    against : folder, heritage document, or address of a server
    json : file for the answer, "-" for standard output

    Raises
    ------
    HeritageError
        When the file cannot be read, or no checkpoint or several fit the expectation.
    """
    notes = make_console(stderr=True)
    if json is not None and json != STANDARD_OUTPUT:
        check_writable(Path(json))
    if not is_url(file) and not Path(file).exists():
        raise NotFound(f"There is no file {file}.")
    place = ask_server if is_url(against) else place_locally
    document = place(file, against, notes, options)
    code = EXIT_CODES[Answer(document["answer"])]
    if document["as_expected"] is False:
        code = UNEXPECTED
    if json == STANDARD_OUTPUT:
        print_json(document)
        return code
    if json is not None:
        write_text(Path(json), json_format.dumps(document, indent=1, allow_nan=False) + "\n")
    console = make_console(stderr=False)
    for line in tell(document):
        console.print(line)
    return code


def place_locally(
    file: str, against: str, notes: Console, options: IdentifyOptions
) -> dict[str, Any]:
    with contextlib.closing(open_cache(notes, use_cache=options.use_cache)) as cache:
        # First what fails soonest: the others may take an hour.
        sampled = None
        if is_url(file) and not options.full:
            from model_heritage_backend.cli.remote import read_sample

            sampled = read_sample(file, notes, yes=options.yes)
        known = read_known(Path(against), cache, notes)
        expected = None if options.expect is None else known.find_expected(options.expect)
        if sampled is not None:
            place = _place_sample(sampled, known, cache)
            return _expect(place, weaken(place.to_dict(), sampled.describe()), expected)
        with _at_hand(file, notes) as path:
            place = _place_whole(path, _name(file), known, cache, notes, options)
        return _expect(place, place.to_dict(), expected)


def _place_whole(
    path: Path, name: str, known: Known, cache: ScanCache, notes: Console, options: IdentifyOptions
) -> Place:
    target = FoundFile(path=path, shown=name, size=path.stat().st_size)
    own = read_all((target,), cache, notes)
    exact = options.exact and known.exact
    return place_file(*own.files[0], known.reading, cache, exact=exact)


def _place_sample(sampled: Sampled, known: Known, cache: ScanCache) -> Place:
    """By a part of the file, held against as little of the others."""
    others = Reading(
        files=[(f, restrict_rows(print_, sampled.rows)) for f, print_ in known.reading.files]
    )
    target = FoundFile(path=Path(sampled.name), shown=sampled.name, size=sampled.size)
    return place_file(target, sampled.fingerprint, others, cache, exact=False)


def weaken(document: dict[str, Any], sample: dict[str, Any]) -> dict[str, Any]:
    """An answer from a sample, with the confidence that it deserves."""
    trust = sample["trust"]
    parents = [
        {**parent, "confidence": round(parent["confidence"] * trust, 6)}
        for parent in document["parents"]
    ]
    answer = document["answer"]
    if answer == Answer.FOUND and parents and parents[0]["confidence"] < DECIDED:
        answer = Answer.UNRESOLVED.value
    return {**document, "answer": answer, "parents": parents, "sample": sample}


def _expect(place: Place, document: dict[str, Any], expected: str | None) -> dict[str, Any]:
    """With whether a resolved parent, every one of a merge, is the expected one."""
    if expected is None:
        return document | {"as_expected": None}
    sure = document["answer"] != Answer.UNRESOLVED
    parents = {place.store.get_model(e.parent).checksum for e in place.parents if e.resolved}
    return document | {"as_expected": sure and expected in parents}


def ask_server(file: str, against: str, notes: Console, options: IdentifyOptions) -> dict[str, Any]:
    if is_url(file) and not (options.full or options.yes):
        raise InvalidRequest(
            "A server is asked with whole files: --full fetches this one and sends it there."
        )
    with _at_hand(file, notes) as path, Client(against, options.token) as client:
        place = client.identify(path)
        tree = None if place.family_id is None else client.tree(place.family_id)
    names = [] if tree is None else [str(tree.nodes[model]["name"]) for model in tree]
    document = _describe_remote(_name(file), place, names)
    expected = None
    if options.expect is not None:
        certain = document["answer"] == Answer.FOUND
        expected = certain and any(
            options.expect in (parent["name"], parent["id"]) for parent in document["parents"]
        )
    return document | {"as_expected": expected}


def _describe_remote(name: str, place: RemotePlace, names: Sequence[str]) -> dict[str, Any]:
    """A server's answer in the shape of our own."""
    parents = [c for c in place.candidates if c.relation is not None]
    if place.family_id is None:
        answer = Answer.UNRELATED
    elif place.parent_id is None:
        # Its children hang from it, or the server knows no more than the family.
        answer = Answer.FOUND if place.children else Answer.UNRESOLVED
    else:
        answer = Answer.UNRESOLVED if (place.confidence or 0.0) < DECIDED else Answer.FOUND
    rest = [c for c in place.candidates if c.relation is None]
    return {
        "file": name,
        "checksum": None,
        "answer": answer.value,
        "is_root": place.parent_id is None and bool(place.children),
        "existing_id": place.existing_id,
        "family": sorted(names),
        "parents": [
            {
                "id": parent.id,
                "name": parent.name,
                "checksum": None,
                "main": parent.id == place.parent_id,
                "relation": parent.relation,
                "confidence": parent.confidence,
                "coefficient": None,
                "runner_up": rest[0].name if rest else None,
                "margin": None,
                "reasons": list(parent.reasons),
            }
            for parent in parents
        ],
        "children": sorted(child.name for child in place.children),
    }


@contextlib.contextmanager
def _at_hand(file: str, notes: Console) -> Iterator[Path]:
    """A file's path; a remote one is fetched first."""
    if not is_url(file):
        yield Path(file)
        return
    from model_heritage_backend.cli.remote import whole_file

    with whole_file(file, notes) as path:
        yield path


def _name(file: str) -> str:
    return name_file(file) if is_url(file) else PurePath(file).name


def tell(document: dict[str, Any]) -> list[Text]:
    """The answer for people; names may hold anything, so they are made printable."""
    name = printable(document["file"])
    others = len(document["family"])
    lines = []
    sample = document.get("sample")
    if sample:
        share = sample["bytes_read"] / sample["file_bytes"]
        lines.append(
            Text(
                f"From a sample: {sample['rows']} rows of each matrix, {share:.2%} of "
                f"{sample['file_bytes']:,} bytes.",
                style="dim",
            )
        )
    if document["answer"] == Answer.UNRELATED:
        lines.append(Text.assemble(name, " is not related to any checkpoint there."))
    for parent in document["parents"]:
        sure = parent["confidence"]
        style = "green" if sure >= SURE else "yellow"
        what = "comes from" if parent["main"] else "and from"
        relation = "" if parent["relation"] == "unresolved" else f", {parent['relation']}"
        lines.append(
            Text.assemble(
                name if parent["main"] else "  ",
                f" {what} ",
                printable(parent["name"]).copy(),
                (f" ({sure:.0%} sure{relation})", style),
            )
        )
        if parent["runner_up"]:
            behind = f" ({parent['margin']:.0%} behind)" if parent["margin"] is not None else ""
            lines.append(Text.assemble(CHOICES, printable(parent["runner_up"]), behind))
        lines += [Text(f"  {reason}", style="dim") for reason in parent["reasons"]]
    if not document["parents"] and document["answer"] != Answer.UNRELATED:
        what = "is the root of" if document["is_root"] else "belongs to"
        lines.append(Text.assemble(name, f" {what} a family of {others} others there."))
    if document["children"]:
        lines.append(
            Text.assemble("  Its children there: ", printable(", ".join(document["children"])))
        )
    if document["as_expected"] is False:
        lines.append(Text("This is not the parent that was expected.", style="red"))
    elif document["answer"] == Answer.UNRESOLVED:
        lines.append(Text("The evidence does not decide.", style="yellow"))
    return lines
