"""Remote files for ``identify``: a part of their bytes where that will do, else the whole."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.filesize import decimal

from model_heritage_backend.cli.progress import show_progress
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.scanning.remote.download import download
from model_heritage_backend.scanning.remote.sampling import CannotSample, RemoteSample
from model_heritage_backend.scanning.remote.sources import NoRanges, open_source

RESERVE = 256 << 20
"""Bytes of the disk that a download leaves free."""
TRUST = ((48, 0.97), (24, 0.9), (12, 0.88), (8, 0.84))
"""How often at least so many rows of every matrix name the same parent as the whole file; measured
in docs/design.md."""


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """What was read of a remote file."""

    fingerprint: Fingerprint
    name: str
    rows: int
    bytes_read: int
    size: int

    @property
    def share(self) -> float:
        return self.bytes_read / self.size

    def describe(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "bytes_read": self.bytes_read,
            "file_bytes": self.size,
            "trust": next(trust for rows, trust in TRUST if self.rows >= rows),
        }


def read_sample(url: str, notes: Console, *, yes: bool) -> Sampled | None:
    """Know a remote file from a part of it; None where it is agreed to read the whole.

    Parameters
    ----------
    yes : read as much as it takes, without asking

    Raises
    ------
    InvalidRequest
        When too much would have to be read, and nobody agrees.
    HeritageError
        When the file is broken, or its server fails.
    """
    try:
        source = open_source(url)
    except NoRanges as refusal:
        _agree(f"{refusal.detail} That is {_show(refusal.size)}.", yes=yes)
        return None
    with contextlib.closing(source):
        try:
            sample = RemoteSample(source)
        except CannotSample as refusal:
            _agree(f"{refusal.detail} The whole is {_show(source.size)}.", yes=yes)
            return None
        planned = sample.plan.bytes
        if sample.is_costly:
            _agree(
                f"With matrices of so few rows, a sample is {planned / source.size:.1%} of the "
                f"file: {_show(planned)}.",
                yes=yes,
            )
        with _progress(notes, f"Reading {sample.plan.rows} rows of each matrix", planned) as on:
            fingerprint = sample.read(on)
        return Sampled(
            fingerprint=fingerprint,
            name=source.name,
            rows=sample.plan.rows,
            bytes_read=source.bytes_read,
            size=source.size,
        )


@contextlib.contextmanager
def whole_file(url: str, notes: Console) -> Iterator[Path]:
    """A remote file on the disk, within the block."""
    with tempfile.TemporaryDirectory(prefix="model-heritage-") as folder:
        room = shutil.disk_usage(folder).free - RESERVE
        with _progress(notes, "Fetching the file", None) as on:
            yield download(url, Path(folder), most=room, on_bytes=on)


def _agree(sentence: str, *, yes: bool) -> None:
    """Raise InvalidRequest unless somebody agrees; nobody is asked where nobody sits."""
    if yes or (sys.stdin.isatty() and typer.confirm(f"{sentence} Go on?", err=True)):
        return
    raise InvalidRequest(f"{sentence} --yes reads it.")


def _show(count: int | None) -> str:
    return "of unknown size" if count is None else decimal(count)


@contextlib.contextmanager
def _progress(notes: Console, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    with show_progress(notes) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)
