"""The command ``scan``: a folder of checkpoints in, their genealogy out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from model_heritage_backend.cli.console import (
    STANDARD_OUTPUT,
    check_writable,
    is_quiet,
    make_console,
    write_out,
    write_text,
)
from model_heritage_backend.cli.drawing import count, draw_document, printable
from model_heritage_backend.cli.page import load_template, write_page
from model_heritage_backend.cli.progress import show_progress
from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.interop.document_text import DocumentError, write_document
from model_heritage_backend.scanning.cache import ScanCache, find_cache_folder
from model_heritage_backend.scanning.discovery import Found, FoundFile, find_checkpoints
from model_heritage_backend.scanning.recall import (
    name_document,
    recall_document,
    remember_document,
)

if TYPE_CHECKING:
    # Loading the engine takes a second, and a folder that has not changed does not need it.
    from model_heritage_backend.scanning.reading import Reading

DONE, SOME_UNREADABLE, INTERRUPTED = 0, 1, 130
HTML = "html"


@dataclass(frozen=True, kw_only=True)
class ScanOptions:
    """How a folder is read.

    Attributes
    ----------
    method : a TreeBuildingMethod's value
    exact : read the files again to refine the tree's edges
    sampled : read samples only, of all files
    workers : files read at the same time; None for as many as there are processors
    """

    method: str = "heritage"
    use_cache: bool = True
    exact: bool = True
    sampled: bool = False
    workers: int | None = None

    def describe(self) -> dict[str, Any]:
        """What changes the result."""
        return {
            "method": self.method,
            "exact": self.exact and not self.sampled,
            "sampled": self.sampled,
        }


def run_scan(
    folder: Path, *, json: str | None, exports: Mapping[str, Path], options: ScanOptions
) -> int:
    """Read a folder, print its genealogy, write the document; gives the exit code.

    Parameters
    ----------
    json : file for the document, "-" for standard output (the tree then goes to standard error)
    exports : other files to write, by the names of their formats

    Raises
    ------
    HeritageError
        When the document cannot be written or the genealogy cannot be found at all.
    """
    notes = make_console(stderr=True)
    for path in (*exports.values(), *([] if json in (None, STANDARD_OUTPUT) else [Path(json)])):
        check_writable(path)
    if HTML in exports:
        load_template()
    try:
        document, found = scan_folder(folder, notes, options)
    except KeyboardInterrupt:
        again = "The same command goes on where it was." if options.use_cache else ""
        notes.print(f"\nStopped. {again}")
        return INTERRUPTED
    write_exports(document, exports, found, title=folder.resolve().name or str(folder))
    if json == STANDARD_OUTPUT:
        write_out(write_document(document))
    elif json is not None:
        write_text(Path(json), write_document(document))
    console = notes if json == STANDARD_OUTPUT else make_console(stderr=False)
    report(document, found, console, options)
    return SOME_UNREADABLE if document["errors"] or found.closed else DONE


def scan_folder(folder: Path, notes: Console, options: ScanOptions) -> tuple[dict[str, Any], Found]:
    """The genealogy of a folder, and what was found in it."""
    found = find_checkpoints(folder, follow_hub=True)
    with contextlib.closing(open_cache(notes, use_cache=options.use_cache)) as cache:
        document = recall_document(name_document(found, cache, **options.describe()), cache)
        if document is not None:
            for error in document["errors"]:
                tell(notes, DocumentError(**error))
            return document, found
        reading = read_with_progress(found, cache, notes, options)
        document = solve_with_progress(reading, cache, notes, options)
        # A file that came to be refused is remembered by now.
        remember_document(name_document(found, cache, **options.describe()), document, cache)
        if cache.problem is not None:
            notes.print(f"Not everything could be remembered for next time: {cache.problem}.")
    return document, found


def read_with_progress(
    found: Found, cache: ScanCache, notes: Console, options: ScanOptions
) -> Reading:
    """What can be read is read; of everything else it is told at once."""
    return _read(found, cache, notes, options, on_error=lambda error: tell(notes, error))


def read_all(files: tuple[FoundFile, ...], cache: ScanCache, notes: Console) -> Reading:
    """Files of which none can be missing.

    Raises
    ------
    InvalidWeights
        When one cannot be read.
    """
    found = Found(files=files, links_out=())
    # The problem that is raised tells of all of them.
    reading = _read(found, cache, notes, ScanOptions(), on_error=lambda _: None)
    if reading.errors:
        raise InvalidWeights("\n".join(f"{e.path}: {e.detail}" for e in reading.errors))
    return reading


def _read(
    found: Found,
    cache: ScanCache,
    notes: Console,
    options: ScanOptions,
    *,
    on_error: Callable[[DocumentError], None],
) -> Reading:
    from model_heritage_backend.scanning.reading import PASSES, read_files

    with show_progress(notes) as progress:
        total = sum(file.size for file in found.files)
        task = progress.add_task(f"Reading {count(len(found.files), 'file')}", total=total)
        return read_files(
            found.files,
            cache,
            on_bytes=lambda done: progress.advance(task, done / PASSES),
            on_error=on_error,
            workers=options.workers,
            sampled=options.sampled,
        )


def tell(notes: Console, error: DocumentError) -> None:
    # The style is the text's own: a style of the print would colour the bar below it too.
    text = Text.assemble(printable(error.path), ": ", printable(error.detail), style="red")
    notes.print(text, soft_wrap=True)


def solve_with_progress(
    reading: Reading, cache: ScanCache, notes: Console, options: ScanOptions
) -> dict[str, Any]:
    from model_heritage_backend.scanning.solving import solve

    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=notes, transient=True, disable=is_quiet(notes)) as progress:
        task = progress.add_task("Finding the genealogy", total=1.0)
        return solve(
            reading,
            cache,
            method=options.method,
            exact=options.exact and not options.sampled,
            on_progress=lambda share, stage: progress.update(
                task, completed=share, description=stage.capitalize()
            ),
        )


def write_exports(
    document: dict[str, Any], exports: Mapping[str, Path], found: Found, *, title: str
) -> None:
    for name, path in exports.items():
        if name == HTML:
            sizes = {file.shown: file.size for file in found.files}
            write_text(path, write_page(document, title=title, sizes=sizes))
        else:
            # Graph libraries take their time to load.
            from model_heritage_backend.interop.export import DOCUMENT_WRITERS

            write_text(path, DOCUMENT_WRITERS[name](document))


def report(document: dict[str, Any], found: Found, console: Console, options: ScanOptions) -> None:
    for piece in draw_document(document):
        console.print(piece)
    if options.sampled:
        console.print("Only samples of the files were read.")
    if found.links_out:
        console.print(f"{count(len(found.links_out), 'link')} out of the folder not followed.")
    for folder in found.closed:
        console.print(Text.assemble(printable(folder), (": This folder cannot be read.", "red")))
    if found.repeated:
        console.print(
            f"{count(len(found.repeated), 'file')} left out: parts of models that are there in a "
            "better format, too."
        )


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
