"""How far a command is with bytes that it reads."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from model_heritage_backend.cli.console import is_quiet


def show_progress(notes: Console) -> Progress:
    """Bars of bytes, which vanish at the end; none where they would only litter a log."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=notes,
        transient=True,
        disable=is_quiet(notes),
    )
