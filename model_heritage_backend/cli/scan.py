"""The command ``scan``: a folder of checkpoints in, their genealogy out."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from model_heritage_backend.cli.drawing import count, draw_document, printable
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.interop.heritage_document import DocumentError, write_document
from model_heritage_backend.scanning.cache import ScanCache, find_cache_folder
from model_heritage_backend.scanning.discovery import Found, find_checkpoints
from model_heritage_backend.scanning.reading import PASSES, Reading, read_files, solve

STANDARD_OUTPUT = "-"
DONE, SOME_UNREADABLE = 0, 1
UNFOLDED = 100_000
"""Columns that no line reaches."""


def run_scan(folder: Path, *, json: str | None, method: str, use_cache: bool, exact: bool) -> int:
    """Read a folder, print its genealogy, write the document; gives the exit code.

    Parameters
    ----------
    json : file for the document, "-" for standard output (the tree then goes to standard error)
    method : a TreeBuildingMethod's value

    Raises
    ------
    HeritageError
        When the document cannot be written or the genealogy cannot be found at all.
    """
    notes = make_console(stderr=True)
    if json is not None and json != STANDARD_OUTPUT:
        check_writable(Path(json))
    found = find_checkpoints(folder)
    with contextlib.closing(open_cache(notes, use_cache=use_cache)) as cache:
        reading = read_with_progress(found, cache, notes)
        document = solve_with_progress(reading, cache, notes, method=method, exact=exact)
        if cache.problem is not None:
            notes.print(f"Not everything could be remembered for next time: {cache.problem}.")
    if json == STANDARD_OUTPUT:
        sys.stdout.buffer.write(write_document(document).encode())
        sys.stdout.buffer.flush()
    elif json is not None:
        write_text(Path(json), write_document(document))
    report(document, found, notes if json == STANDARD_OUTPUT else make_console(stderr=False))
    return SOME_UNREADABLE if document["errors"] else DONE


def read_with_progress(found: Found, cache: ScanCache, notes: Console) -> Reading:
    def tell(error: DocumentError) -> None:
        # The style is the text's own: a style of the print would colour the bar below it too.
        text = Text.assemble(printable(error.path), ": ", printable(error.detail), style="red")
        notes.print(text, soft_wrap=True)

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=notes, transient=True, disable=is_quiet(notes)
    ) as progress:
        total = PASSES * sum(file.size for file in found.files)
        task = progress.add_task(f"Reading {count(len(found.files), 'file')}", total=total)
        return read_files(
            found.files,
            cache,
            on_bytes=lambda done: progress.advance(task, done),
            on_error=tell,
        )


def solve_with_progress(
    reading: Reading, cache: ScanCache, notes: Console, *, method: str, exact: bool
) -> dict[str, Any]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        console=notes,
        transient=True,
        disable=is_quiet(notes),
    ) as progress:
        task = progress.add_task("Finding the genealogy", total=1.0)
        return solve(
            reading,
            cache,
            method=method,
            exact=exact,
            on_progress=lambda share, stage: progress.update(
                task, completed=share, description=stage.capitalize()
            ),
        )


def report(document: dict[str, Any], found: Found, console: Console) -> None:
    for piece in draw_document(document):
        console.print(piece)
    if found.links_out:
        console.print(f"{count(len(found.links_out), 'link')} out of the folder not followed.")


def make_console(*, stderr: bool) -> Console:
    """Plain output: no markup is read in names, and outside a terminal a line is never folded."""
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    return (
        console
        if console.is_terminal
        else Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=UNFOLDED)
    )


def is_quiet(console: Console) -> bool:
    """Whether progress bars would only litter a log."""
    return not console.is_terminal


def open_cache(notes: Console, *, use_cache: bool) -> ScanCache:
    if not use_cache:
        return ScanCache(None)
    try:
        cache = ScanCache(find_cache_folder())
    except OSError as error:
        notes.print(f"The cache cannot be used ({error}); this scan reads everything.")
        return ScanCache(None)
    if cache.was_damaged:
        notes.print("The cache of earlier scans was damaged and begun anew.")
    return cache


def check_writable(path: Path) -> None:
    """Better now than after an hour of reading."""
    if path.is_dir():
        raise InvalidRequest(f"{path} is a folder; the document needs a file's name.")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise InvalidRequest(f"The document cannot be written to {path}.")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all: a reader never sees half a document."""
    try:
        with _replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"The document cannot be written: {error.strerror}.") from None


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".heritage-", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        yield temporary
        temporary.replace(path)
