"""The command ``compare``: what changed between two checkpoints, by kind, layer and tensor."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from model_heritage_backend.cli.console import make_console, print_json
from model_heritage_backend.cli.drawing import printable
from model_heritage_backend.cli.scan import open_cache, read_all
from model_heritage_backend.errors import NotFound
from model_heritage_backend.scanning.discovery import FoundFile
from model_heritage_backend.scanning.placing import compare_files

MOST_TENSORS = 20
"""Rows of the table of tensors, unless all are asked for."""
DIGITS = 2


def run_compare(
    first: Path, second: Path, *, as_json: bool, everything: bool, use_cache: bool
) -> int:
    """Print what differs between two checkpoints; gives the exit code.

    Raises
    ------
    HeritageError
        When one of them cannot be read.
    """
    notes = make_console(stderr=True)
    for path in (first, second):
        if not path.exists():
            raise NotFound(f"There is no file {path}.")
    files = tuple(
        FoundFile(path=path, shown=str(path), size=path.stat().st_size) for path in (first, second)
    )
    with contextlib.closing(open_cache(notes, use_cache=use_cache)) as cache:
        reading = read_all(files, cache, notes)
        found = compare_files(reading.files[0], reading.files[1], cache)
    if as_json:
        print_json(found)
    else:
        console = make_console(stderr=False)
        for piece in draw_comparison(found, first.name, second.name, everything=everything):
            console.print(piece)
    return 0


def draw_comparison(
    found: Mapping[str, Any], first: str, second: str, *, everything: bool
) -> Iterator[RenderableType]:
    yield Text(found["summary"], style="bold")
    kinship = found["kinship"]
    if kinship["kind"] in ("parent", "child"):
        ends = (first, second) if kinship["kind"] == "child" else (second, first)
        yield Text.assemble(
            printable(ends[0]),
            " -> ",
            printable(ends[1]),
            (f" ({kinship['relation']}, {kinship['confidence']:.0%} sure)", "green"),
        )
    if not found["related"]:
        return
    yield _draw_groups(found["kinds"], "kind")
    if len(found["layers"]) > 1:
        yield _draw_groups(found["layers"], "layer")
    changed = [entry for entry in found["tensors"] if entry["status"] != "equal"]
    changed.sort(key=lambda e: (-(e["relative_change"] or math.inf), e["name"]))
    shown = changed if everything else changed[:MOST_TENSORS]
    yield _draw_tensors(shown)
    if len(shown) < len(changed):
        yield Text(f"{len(changed) - len(shown)} more; --all shows them.", style="dim")


def _draw_groups(groups: list[Mapping[str, Any]], by: str) -> Table:
    table = Table(by, box=None, pad_edge=False)
    for column in ("tensors", "changed", "relative change"):
        table.add_column(column, justify="right")
    for group in groups:
        name = "outside" if group[by] is None else str(group[by])
        change = _show(group["relative_change"])
        table.add_row(name, str(group["tensors"]), str(group["changed"]), change)
    return table


def _draw_tensors(tensors: list[Mapping[str, Any]]) -> Table:
    table = Table("tensor", "verdict", box=None, pad_edge=False)
    for column in ("relative change", "cosine", "equal", "rank"):
        table.add_column(column, justify="right")
    for entry in tensors:
        table.add_row(
            printable(entry["name"]),
            entry["verdict"],
            *(_show(entry[of]) for of in ("relative_change", "cosine", "equal")),
            "" if entry["delta_rank"] is None else str(entry["delta_rank"]),
        )
    return table


def _show(value: float | None) -> str:
    return "" if value is None else f"{value:.{DIGITS}g}"
