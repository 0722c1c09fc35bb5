"""The command ``identify``: where does one file belong among the checkpoints of a folder?"""

from __future__ import annotations

import contextlib
import json as json_format
from pathlib import Path, PurePath
from typing import Any

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
from model_heritage_backend.cli.scan import ScanOptions, open_cache, read_with_progress
from model_heritage_backend.errors import InvalidRequest, InvalidWeights, NotFound
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import Found, FoundFile, find_checkpoints
from model_heritage_backend.scanning.placing import Answer, Place, place_file
from model_heritage_backend.scanning.reading import Reading

SURE = 0.9
CHOICES = "  Or "


EXIT_CODES = {Answer.FOUND: 0, Answer.UNRESOLVED: 3, Answer.UNRELATED: 4}
UNEXPECTED = 5
"""Exit code when the parent is not the expected one."""


def run_identify(
    file: Path,
    against: Path,
    *,
    expect: str | None,
    json: str | None,
    use_cache: bool,
    exact: bool,
) -> int:
    """Print the parents of a file among the checkpoints below a folder; gives the exit code.

    Parameters
    ----------
    expect : the parent that the file is said to have: its path below the folder, its file name, or
        the beginning of its checksum
    json : file for the answer, "-" for standard output

    Raises
    ------
    HeritageError
        When the file cannot be read, or no checkpoint or several fit ``expect``.
    """
    notes = make_console(stderr=True)
    if json is not None and json != STANDARD_OUTPUT:
        check_writable(Path(json))
    if not file.exists():
        raise NotFound(f"There is no file {file}.")
    with contextlib.closing(open_cache(notes, use_cache=use_cache)) as cache:
        place, known = find_place(file, against, cache, notes, exact=exact)
    document = place.to_dict() | {"as_expected": None}
    code = EXIT_CODES[place.answer]
    if expect is not None:
        document["as_expected"] = find_expected(known, expect) in list_parents(place)
        code = code if document["as_expected"] else UNEXPECTED
    if json == STANDARD_OUTPUT:
        print_json(document)
        return code
    if json is not None:
        write_text(Path(json), json_format.dumps(document, indent=1, allow_nan=False) + "\n")
    console = make_console(stderr=False)
    for line in tell(document):
        console.print(line)
    return code


def find_place(
    file: Path, against: Path, cache: ScanCache, notes: Console, *, exact: bool
) -> tuple[Place, Reading]:
    """Solve the one family that a file belongs to; also what was read of the others."""
    target = FoundFile(path=file, shown=str(PurePath(file).name), size=file.stat().st_size)
    own = read_with_progress(Found(files=(target,), links_out=()), cache, notes, ScanOptions())
    if own.errors:
        raise InvalidWeights(f"{file}: {own.errors[0].detail}")
    known = read_with_progress(
        find_checkpoints(against, follow_hub=True), cache, notes, ScanOptions()
    )
    return place_file(*own.files[0], known, cache, exact=exact), known


def find_expected(known: Reading, expect: str) -> str:
    """The checksum of the checkpoint that somebody means."""
    found = {
        fingerprint.checksum
        for file, fingerprint in known.files
        if expect in (file.shown, PurePath(file.shown).name, PurePath(file.shown).stem)
        or (len(expect) >= 8 and fingerprint.checksum.startswith(expect.lower()))
    }
    if len(found) != 1:
        what = "No checkpoint" if not found else f"{len(found)} different checkpoints"
        raise InvalidRequest(f"{what} in the folder can be meant by {expect!r}.")
    return found.pop()


def list_parents(place: Place) -> set[str]:
    """Checksums of its resolved parents, of every parent of a merge."""
    return {place.store.get_model(e.parent).checksum for e in place.parents if e.resolved}


def tell(document: dict[str, Any]) -> list[Text]:
    """The answer for people; names may hold anything, so they are made printable."""
    name = printable(document["file"])
    others = len(document["family"])
    if document["answer"] == Answer.UNRELATED:
        return [Text.assemble(name, " is not related to any checkpoint there.")]
    lines = []
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
    if not document["parents"]:
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
