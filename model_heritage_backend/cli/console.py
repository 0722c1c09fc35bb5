"""What all commands print with: consoles, files that are written whole, JSON."""

from __future__ import annotations

import contextlib
import json as json_format
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from model_heritage_backend.errors import InvalidRequest

STANDARD_OUTPUT = "-"
UNFOLDED = 100_000
"""Columns that no line reaches."""


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


def print_json(content: Any) -> None:
    write_out(json_format.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_out(text: str) -> None:
    """To standard output, in UTF-8 whatever the terminal speaks."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


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
