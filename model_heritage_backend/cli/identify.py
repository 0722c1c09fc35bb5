"""The command ``identify``: where does one file belong among the checkpoints of a folder?"""

from __future__ import annotations

import contextlib
import json as json_format
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path, PurePath
from typing import Any

from rich.console import Console
from rich.text import Text

from model_heritage_backend.cli.drawing import printable
from model_heritage_backend.cli.scan import (
    STANDARD_OUTPUT,
    check_writable,
    make_console,
    open_cache,
    read_with_progress,
    write_text,
)
from model_heritage_backend.clustering.genealogy import Edge, FamilyTree
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.model_management import ModelManagementSystem
from model_heritage_backend.clustering.reasons import list_reasons
from model_heritage_backend.errors import InvalidRequest, InvalidWeights, NotFound
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import Found, FoundFile, find_checkpoints
from model_heritage_backend.scanning.reading import Reading, build_lake

SURE = 0.9
CHOICES = "  Or "


class Answer(IntEnum):
    """Exit codes, for scripts."""

    FOUND = 0
    UNRESOLVED = 3
    UNRELATED = 4
    UNEXPECTED = 5


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a file belongs: the tree of its family, by ids of the store; None for a stranger."""

    model_id: str
    tree: FamilyTree | None
    store: InMemoryStore

    @property
    def parent(self) -> Edge | None:
        return None if self.tree is None else self.tree.main_edges.get(self.model_id)

    @property
    def answer(self) -> Answer:
        """A root has been found as well: everything here that is related descends from it."""
        if self.tree is None:
            return Answer.UNRELATED
        if self.parent is None:
            found = self.tree.root == self.model_id
            return Answer.FOUND if found else Answer.UNRESOLVED
        return Answer.FOUND if self.parent.resolved else Answer.UNRESOLVED

    def name(self, model_id: str) -> str:
        return self.store.get_model(model_id).name


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
    expected = None if expect is None else find_expected(known, expect)
    answer = place.answer
    if expected is not None and expected not in _list_parents(place):
        answer = Answer.UNEXPECTED
    document = describe(place, expected, answer)
    if json == STANDARD_OUTPUT:
        print(json_format.dumps(document, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        if json is not None:
            write_text(Path(json), json_format.dumps(document, indent=1, allow_nan=False) + "\n")
        console = make_console(stderr=False)
        for line in tell(document):
            console.print(line)
    return int(answer)


def find_place(
    file: Path, against: Path, cache: ScanCache, notes: Console, *, exact: bool
) -> tuple[Place, Reading]:
    """Solve the one family that a file belongs to; also what was read of the others."""
    target = FoundFile(path=file, shown=str(PurePath(file).name), size=file.stat().st_size)
    own = read_with_progress(Found(files=(target,), links_out=()), cache, notes)
    if own.errors:
        raise InvalidWeights(f"{file}: {own.errors[0].detail}")
    others = find_checkpoints(against)
    known = read_with_progress(others, cache, notes)
    same = own.files[0][1].checksum
    rest = [entry for entry in known.files if entry[1].checksum != same]
    lake = build_lake(Reading(files=[*own.files, *rest]), cache)
    model_id = lake.models[0].id
    system = ModelManagementSystem(lake.store, exact=exact)
    fingerprints = {m.id: lake.store.load_fingerprint(m.id) for m in lake.store.list_models()}
    groups = system.family_clustering.cluster(fingerprints)
    group = next(group for group in groups if model_id in group)
    tree = None
    if len(group) > 1:
        tree = system.tree_builder.solve({member: fingerprints[member] for member in group})
    return Place(model_id=model_id, tree=tree, store=lake.store), known


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


def _list_parents(place: Place) -> set[str]:
    """Checksums of its resolved parents, of every parent of a merge."""
    edges = () if place.tree is None else place.tree.edges
    parents = [e.parent for e in edges if e.child == place.model_id and e.resolved]
    return {place.store.get_model(parent).checksum for parent in parents}


def describe(place: Place, expected: str | None, answer: Answer) -> dict[str, Any]:
    """JSON-ready: the file's place with everything that speaks for it."""
    edges = () if place.tree is None else place.tree.edges
    parents = [edge for edge in edges if edge.child == place.model_id]
    return {
        "file": place.name(place.model_id),
        "checksum": place.store.get_model(place.model_id).checksum,
        "answer": answer.name.lower(),
        "expected": expected,
        "is_root": place.tree is not None and place.tree.root == place.model_id,
        "family": [] if place.tree is None else sorted(place.name(m) for m in place.tree.members),
        "parents": [
            {
                "name": place.name(edge.parent),
                "checksum": place.store.get_model(edge.parent).checksum,
                "main": edge.main,
                "relation": edge.relation.value,
                "confidence": edge.confidence,
                "coefficient": edge.coefficient,
                "runner_up": place.name(second) if (second := edge.evidence.runner_up) else None,
                "margin": edge.evidence.margin,
                "reasons": list_reasons(edge),
            }
            for edge in sorted(parents, key=lambda edge: (not edge.main, edge.parent))
        ],
        "children": sorted(place.name(e.child) for e in edges if e.parent == place.model_id),
    }


def tell(document: dict[str, Any]) -> list[Text]:
    """The answer for people; names may hold anything, so they are made printable."""
    name = printable(document["file"])
    others = len(document["family"]) - 1
    if not document["family"]:
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
    if document["answer"] == "unexpected":
        lines.append(Text("This is not the parent that was expected.", style="red"))
    elif document["answer"] == "unresolved":
        lines.append(Text("The evidence does not decide.", style="yellow"))
    return lines
