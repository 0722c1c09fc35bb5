"""The commands ``backup``, ``restore`` and ``check``: on a server's data folder."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from model_heritage_backend.cli.console import is_quiet, make_console, print_json
from model_heritage_backend.cli.drawing import count, printable
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.blobs import Blobs
from model_heritage_backend.services.backups import (
    DATABASE,
    Report,
    check_data,
    make_backup,
    restore_backup,
    verify_backup,
)

DONE, PROBLEMS = 0, 1


def run_backup(target: Path, *, data_dir: Path | None, as_json: bool) -> int:
    notes = make_console(stderr=True)
    with _progress(notes, "Copying") as advance:
        report = make_backup(
            find_data(data_dir), target, advance=advance, blobs=find_blobs(data_dir)
        )
    return _tell(report, notes, f"{count(report.files, 'file')} and the database", as_json=as_json)


def run_restore(source: Path, *, data_dir: Path | None, as_json: bool) -> int:
    notes = make_console(stderr=True)
    target = data_dir or find_data(None)
    with _progress(notes, "Copying") as advance:
        report = restore_backup(source, target, advance=advance)
    what = f"{count(report.files, 'file')} and the database are in {target}"
    return _tell(report, notes, what, as_json=as_json)


def run_check(*, data_dir: Path | None, quick: bool, backup: Path | None, as_json: bool) -> int:
    notes = make_console(stderr=True)
    with _progress(notes, "Reading") as advance:
        if backup is not None:
            report = verify_backup(backup, advance=advance)
        else:
            report = check_data(
                find_data(data_dir), quick=quick, advance=advance, blobs=find_blobs(data_dir)
            )
    return _tell(report, notes, f"{count(report.files, 'file')} looked at", as_json=as_json)


def find_data(data_dir: Path | None) -> Path:
    """The data folder: as given, or as the settings have it.

    Raises
    ------
    InvalidRequest
        When the settings name another database than the one in that folder.
    """
    if data_dir is not None:
        return data_dir
    if importlib.util.find_spec("pydantic_settings") is None:
        raise InvalidRequest("Name the data folder with --data-dir: no settings are read here.")
    from model_heritage_backend.config import SQLITE_PREFIX, load_settings

    settings = load_settings()
    usual = f"{SQLITE_PREFIX}{settings.data_dir / DATABASE}"
    if settings.resolved_database_url != usual:
        raise InvalidRequest(
            "The database is not in the data folder (DATABASE_URL): copy it with its own tools."
        )
    return settings.data_dir


def find_blobs(data_dir: Path | None) -> Blobs | None:
    """Where the files are, if the settings say that they are not in the data folder.

    Raises
    ------
    InvalidRequest, StorageUnavailable
    """
    if importlib.util.find_spec("pydantic_settings") is None:
        return None
    from model_heritage_backend.config import load_settings

    settings = load_settings()
    if settings.storage_url is None:
        return None
    from model_heritage_backend.models.storage import open_files

    return open_files(
        data_dir or settings.data_dir,
        max_file_bytes=settings.max_upload_bytes,
        storage_url=settings.storage_url,
        storage_cache_bytes=settings.storage_cache_bytes,
    ).blobs


@contextlib.contextmanager
def _progress(notes: Console, what: str) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=notes, transient=True, disable=is_quiet(notes)) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done: progress.advance(task, done)


def _tell(report: Report, notes: Console, what: str, *, as_json: bool) -> int:
    if as_json:
        print_json(report.to_dict())
    else:
        for problem in report.problems:
            notes.print(printable(problem), style="red", soft_wrap=True)
        if report.note is not None:
            notes.print(printable(report.note), soft_wrap=True)
        state = count(len(report.problems), "problem") if report.problems else "no problem"
        make_console(stderr=False).print(f"{what}, {report.bytes:,} bytes, {state}.")
    return PROBLEMS if report.problems else DONE
