"""Taking in all models of a folder of the server, as one job."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any, BinaryIO, Protocol

from model_heritage_backend.errors import (
    DuplicateModel,
    HeritageError,
    InvalidRequest,
    InvalidWeights,
    NotFound,
)
from model_heritage_backend.jobs.executor import Executor
from model_heritage_backend.jobs.run import Interruption, Progress
from model_heritage_backend.models.bundles import BUNDLE_NAME, write_archive
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.staged_files import PIECE, StagedFile, format_bytes
from model_heritage_backend.models.tables import Job
from model_heritage_backend.scanning.discovery import FoundFile, find_checkpoints
from model_heritage_backend.weights import list_parts
from model_heritage_backend.weights.checkpoint_set import find_index
from model_heritage_backend.weights.joined import ADAPTER_CONFIG, README

NAME_LENGTH = 200
PASSES = 2
"""A new file is read for its checksum and again into the store; a known one only once."""
WORKERS = min(os.cpu_count() or 1, 4)
"""Files that are taken in side by side: while one waits for the disk, another is read."""
LISTED = 1000
"""Entries of the lists in a job's result; the counts are of all."""
COMPANIONS = (README, ADAPTER_CONFIG)


class ImportNotAllowed(HeritageError):
    """The server's owner has not opened this folder for importing."""

    type = "import-not-allowed"
    title = "This folder may not be imported"
    status = 403


class TakeIn(Protocol):
    """``Intake.upload``."""

    def __call__(
        self,
        staged: StagedFile,
        *,
        filename: str,
        name: str = "",
        wait: bool = True,
        owner_id: str | None = None,
    ) -> object: ...


class Imports:
    """Imports of folders.

    Parameters
    ----------
    roots : folders that may be imported, and what lies below them
    take_in : stores a received file as a model
    """

    def __init__(
        self,
        roots: Sequence[Path],
        files: FileStore,
        lake: Lake,
        queue: JobQueue,
        executor: Executor,
        take_in: TakeIn,
    ) -> None:
        self._roots = roots
        self._files = files
        self._lake = lake
        self._queue = queue
        self._executor = executor
        self._take_in = take_in

    def start(self, folder: str, *, owner_id: str | None = None) -> str:
        """Import a folder in the background, as what ``owner_id`` brings; gives the job's id.

        Raises
        ------
        InvalidRequest, NotFound
            When it is not the full path of a folder.
        ImportNotAllowed
            When no setting allows it.
        """
        self._resolve(folder)
        job_id = self._queue.add("import", parameters={"folder": folder, "owner_id": owner_id})
        self._executor.submit(job_id)
        return job_id

    def _resolve(self, folder: str) -> Path:
        """The folder itself, links resolved. Outside of the roots, nobody learns what is there."""
        if not self._roots:
            raise ImportNotAllowed(
                "Importing is off. The setting import_roots (MODEL_HERITAGE_IMPORT_ROOTS) names "
                "the folders that may be imported."
            )
        try:
            os.fsencode(folder)
        except UnicodeEncodeError as error:
            raise InvalidRequest("The folder's path is not valid text.") from error
        path = Path(folder)
        if "\0" in folder or not path.is_absolute() or ".." in path.parts:
            raise InvalidRequest("Give the full path of the folder, without '..'.")
        real = Path(os.path.realpath(path))
        if not any(real.is_relative_to(os.path.realpath(root)) for root in self._roots):
            raise ImportNotAllowed(
                "This folder is not below one of those that the setting import_roots names."
            )
        if not os.path.isdir(real):  # noqa: PTH112 (Path.is_dir cannot bear too long names)
            raise NotFound("There is no such folder.")
        return real

    def work(self, job: Job, progress: Progress) -> dict[str, Any]:
        """Take in what is there. What is stored already is passed over after one reading, so an
        import that was interrupted goes on where it was."""
        # Again: what the path leads to may have changed since it was asked for.
        folder = self._resolve(str(job.parameters["folder"]))
        owner_id = job.parameters.get("owner_id")
        progress(0.0, "looking for checkpoints")
        found = find_checkpoints(folder)
        tally = Tally(len(found.files), PASSES * sum(file.size for file in found.files), progress)
        with ThreadPoolExecutor(WORKERS, "import") as pool:
            try:
                for _ in pool.map(
                    partial(self._take_file, folder=folder, tally=tally, owner_id=owner_id),
                    found.files,
                ):
                    pass
            except BaseException:
                # The others would otherwise go on to the end of the folder.
                pool.shutdown(cancel_futures=True)
                raise
        tally.errors.sort(key=lambda error: error["path"])
        return {
            "status": "success",
            "files": len(found.files),
            "stored": tally.stored,
            "duplicates": tally.duplicates,
            "unreadable": len(tally.errors),
            "errors": tally.errors[:LISTED],
            "links_out": list(found.links_out[:LISTED]),
        }

    def _take_file(
        self, file: FoundFile, *, folder: Path, tally: Tally, owner_id: str | None
    ) -> None:
        with tally.next(file) as advance:
            try:
                self._import(file, folder, advance, owner_id)
            except DuplicateModel:
                tally.count(duplicates=1)
            except HeritageError as error:
                if error.transient or isinstance(error, Interruption):
                    raise
                tally.refuse({"path": file.shown, "type": error.type, "detail": error.detail})
            else:
                tally.count(stored=1)

    def _import(
        self,
        file: FoundFile,
        folder: Path,
        advance: Callable[[int], None],
        owner_id: str | None,
    ) -> None:
        if file.path.is_dir():
            members = _list_members(file.path)
            filename = BUNDLE_NAME

            def copy(target: io.RawIOBase) -> None:
                write_archive(target, {p.name: _open_source(p, folder, advance) for p in members})
        else:
            filename = _clean(file.path.name)

            def copy(target: io.RawIOBase) -> None:
                with _open_source(file.path, folder, advance) as source:
                    while piece := source.read(PIECE):
                        target.write(piece)

        sink = _Checksum()
        copy(sink)
        known = self._lake.find_by_checksum(sink.checksum)
        if known is not None:
            raise DuplicateModel(f"It is stored as {known.name!r}.", existing_id=known.id)
        with self._files.stage(expected_bytes=sink.size) as staged:
            copy(staged)
            staged.finish()
            # Its place is found by a job of its own, which does not wait for the whole import.
            self._take_in(
                staged,
                filename=filename,
                name=_name(file, folder),
                wait=False,
                owner_id=owner_id,
            )


@dataclass
class Tally:
    """How far an import is, by files and bytes; its files are told of by several threads."""

    files: int
    bytes: int
    progress: Progress
    number: int = 0
    done: int = 0
    stored: int = 0
    duplicates: int = 0
    errors: list[dict[str, str]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def next(self, file: FoundFile) -> Iterator[Callable[[int], None]]:
        """While one file is imported: gives what is called with the number of bytes that were read.
        Afterwards it counts as a whole, however it went."""
        read = 0

        def advance(count: int) -> None:
            nonlocal read
            read += count
            self._advance(count)

        with self._lock:
            self.number += 1
        self._advance(0)
        yield advance
        self._advance(PASSES * file.size - read)

    def count(self, *, stored: int = 0, duplicates: int = 0) -> None:
        with self._lock:
            self.stored += stored
            self.duplicates += duplicates

    def refuse(self, error: dict[str, str]) -> None:
        """A file that cannot be taken."""
        with self._lock:
            self.errors.append(error)

    def _advance(self, count: int) -> None:
        with self._lock:
            self.done += count
            share = self.done / self.bytes if self.bytes else 1.0
            size = format_bytes(self.bytes // PASSES)
            stage = f"file {self.number} of {self.files}, {size} in all"
        self.progress(min(max(share, 0.0), 1.0), stage)


class _Checksum(io.RawIOBase):
    """Takes bytes and keeps their checksum and number only."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0
        self._hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    # typeshed's has Buffer, which has no length.
    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    @property
    def checksum(self) -> str:
        return self._hash.hexdigest()


class _Source(io.RawIOBase):
    """A file that is read with progress, and whose faults are faults of the file."""

    def __init__(self, file: BinaryIO, advance: Callable[[int], None]) -> None:
        super().__init__()
        self._file = file
        self._advance = advance

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        try:
            piece = self._file.read(size)
        except OSError as error:
            raise _unreadable(error) from None
        self._advance(len(piece))
        return piece


@contextmanager
def _open_source(path: Path, folder: Path, advance: Callable[[int], None]) -> Iterator[Any]:
    """A plain file that lies below the folder: this is asked of the open file, as its path may
    have been turned into a link since it was found."""
    try:
        # Opening a pipe must not wait for somebody who writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise _unreadable(error) from None
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 (a descriptor)
        status = os.fstat(descriptor)
        real = os.path.realpath(path)
        inside = Path(real).is_relative_to(folder) and _is_same(real, status)
        if not inside or not stat.S_ISREG(status.st_mode):
            raise InvalidWeights("This is no plain file below the folder.")
        yield _Source(file, advance)


def _is_same(path: str, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), status)  # noqa: PTH116 (a text as realpath gave it)
    except OSError:
        return False


def _unreadable(error: OSError) -> InvalidWeights:
    return InvalidWeights(f"The file cannot be read: {error.strerror}.")


def _list_members(folder: Path) -> list[Path]:
    """The parts of one model, and what beside them says how they belong together."""
    parts = list_parts(folder)
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise _unreadable(error) from None
    beside = {name for name in COMPANIONS if name in names}
    index = find_index(names)
    if index is not None:
        beside.add(index)
    return [*parts, *(folder / name for name in sorted(beside))]


def _name(file: FoundFile, folder: Path) -> str:
    """The path below the folder without its ending: plain names repeat in collections."""
    shown = PurePosixPath(file.shown)
    if file.shown == ".":
        shown = PurePosixPath(folder.name)
    elif not file.path.is_dir():
        shown = shown.with_suffix("")
    return _clean(shown.as_posix())[-NAME_LENGTH:]


def _clean(text: str) -> str:
    """Names of files may hold anything; names of models may not."""
    plain = os.fsencode(text).decode(errors="replace")
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_control(c) else c for c in plain)


def _is_control(character: str) -> bool:
    return ord(character) < 32 or 127 <= ord(character) < 160
