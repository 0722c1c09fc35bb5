"""Copies of a server's data, made while it runs, and the way back; and whether data are sound.

A backup is a folder: ``app.db``, ``blobs/`` (files by their SHA-256) and ``backup.json``, written
last, which lists both with their checksums. Unfinished uploads are not in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model_heritage_backend.errors import Conflict, InvalidRequest
from model_heritage_backend.models.blobs import Blob, Blobs, FolderBlobs, sync_folder
from model_heritage_backend.models.database_file import DatabaseFile, StoredFile
from model_heritage_backend.models.files import CHECKSUM_LENGTH
from model_heritage_backend.models.staged_files import room_on_disk
from model_heritage_backend.version import __version__

DATABASE, BLOBS, LIST = "app.db", "blobs", "backup.json"
KIND = "model-heritage-backup/1"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
BLOCK = 1 << 20
ELSEWHERE = (
    "The files of models are in the object storage (storage_url) and not in this backup: see that "
    "the bucket keeps versions of what is deleted, or is copied."
)
TRIES = 3
"""Models may be deleted while their files are copied: then the database is copied again."""

Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was done or found; ``problems`` are sentences, empty where all is well. ``note`` is what
    to know all the same."""

    files: int = 0
    bytes: int = 0
    problems: list[str] = field(default_factory=list)
    note: str | None = None

    def to_dict(self) -> dict[str, Any]:
        found = {"files": self.files, "bytes": self.bytes, "problems": self.problems}
        return found if self.note is None else found | {"note": self.note}


def make_backup(
    data_dir: Path,
    target: Path,
    *,
    advance: Advance,
    base: Path | None = None,
    blobs: Blobs | None = None,
) -> Report:
    """Copy the database and all files that it knows into a new folder.

    Files of an object storage stay where they are, which the report's ``note`` says.

    Parameters
    ----------
    target : missing or empty
    base : an earlier backup on the same disk; files that it has are linked, not copied again
    advance : called with the number of bytes copied since the last call
    blobs : where the files are, if not in the folder

    Returns
    -------
    Report, whose problems are files that are missing or whose bytes have changed

    Raises
    ------
    InvalidRequest
        When there is no database, or the target holds something.
    Conflict, InsufficientStorage
    """
    database = DatabaseFile(data_dir / DATABASE)
    if blobs is not None and not blobs.takes_files:
        with _new_folder(target):
            (target / BLOBS).mkdir()
            _write_list(target, _copy_database(database, target / DATABASE), [])
        return Report(note=ELSEWHERE)
    with _new_folder(target):
        (target / BLOBS).mkdir()
        done: dict[str, StoredFile] = {}
        for _ in range(TRIES):
            copy = _copy_database(database, target / DATABASE)
            known = {file.checksum: file for file in copy.list_files()}
            problems = {
                file.checksum: problem
                for file in known.values()
                if file.checksum not in done
                and not _link(file, base, target / BLOBS)
                and (problem := _copy(file, data_dir / BLOBS, target / BLOBS, advance))
            }
            done |= {c: f for c, f in known.items() if c not in problems}
            now = {file.checksum for file in database.list_files()}
            if now >= problems.keys():
                break
        for checksum in done.keys() - known.keys():
            (target / BLOBS / checksum).unlink()
        kept = [file for file in known.values() if file.checksum not in problems]
        _write_list(target, copy, kept)
    return Report(
        files=len(kept),
        bytes=sum(file.size for file in kept),
        problems=[problems[checksum] for checksum in sorted(problems)],
    )


def restore_backup(source: Path, data_dir: Path, *, advance: Advance) -> Report:
    """Put a backup where a server can be started, every byte of it held against its checksum.

    Parameters
    ----------
    data_dir : missing or empty

    Raises
    ------
    InvalidRequest
        When this is no whole backup, or there is something where it should go.
    Conflict
        When a file is missing or not what it was; nothing is left behind then.
    """
    content = _read_list(source)
    with _new_folder(data_dir):
        (data_dir / BLOBS).mkdir()
        for entry in content["files"]:
            file = StoredFile(entry["checksum"], entry["size"])
            problem = _copy(file, source / BLOBS, data_dir / BLOBS, advance)
            if problem is not None:
                raise Conflict(f"The backup is damaged. {problem}")
        # Last: a folder without a database is not taken for a restored one.
        with room_on_disk():
            shutil.copyfile(source / DATABASE, data_dir / DATABASE)
            _sync(data_dir / DATABASE)
        if _hash(data_dir / DATABASE) != content["database"]:
            raise Conflict("The backup is damaged. Its database is not what it was.")
        sync_folder(data_dir)
    sizes = [entry["size"] for entry in content["files"]]
    return Report(files=len(sizes), bytes=sum(sizes))


def verify_backup(source: Path, *, advance: Advance) -> Report:
    """Whether a backup could be restored: every byte of it is read.

    Raises
    ------
    InvalidRequest
        When this is no whole backup.
    """
    content = _read_list(source)
    problems = []
    for entry in content["files"]:
        file = StoredFile(entry["checksum"], entry["size"])
        problem = _inspect(file, FolderBlobs(source / BLOBS), advance, quick=False)
        if problem is not None:
            problems.append(problem)
    try:
        whole = _hash(source / DATABASE, advance) == content["database"]
    except OSError:
        whole = False
    if not whole:
        problems.append("Its database is not what it was.")
    sizes = [entry["size"] for entry in content["files"]]
    return Report(files=len(sizes), bytes=sum(sizes), problems=problems)


def find_time(source: Path) -> datetime | None:
    """When a backup was made; None when this is no whole one."""
    try:
        return datetime.strptime(_read_list(source)["made_at"], TIME_FORMAT).replace(tzinfo=UTC)
    except (InvalidRequest, KeyError, ValueError, TypeError):
        return None


def check_data(
    data_dir: Path, *, quick: bool, advance: Advance, blobs: Blobs | None = None
) -> Report:
    """Whether database and files are whole and belong together. A server may run meanwhile.

    Parameters
    ----------
    quick : believe the lengths of the files, without reading them
    blobs : where the files are, if not in the folder
    """
    blobs = blobs or FolderBlobs(data_dir / BLOBS)
    database = DatabaseFile(data_dir / DATABASE)
    problems = database.find_faults()
    known = database.list_files()
    for file in known:
        problem = _inspect(file, blobs, advance, quick=quick)
        # One that was deleted since is none.
        if problem is not None and file in database.list_files():
            problems.append(problem)
    names = {file.checksum for file in known}
    waiting = {path.name for path in (data_dir / "staging").glob("*")}
    now = {file.checksum for file in database.list_files()}
    for name in sorted({blob.checksum for blob in blobs.list_all()} - names - now - waiting):
        problems.append(f"No model has the file blobs/{name}: a clean-up may remove it.")
    return Report(files=len(known), bytes=sum(file.size for file in known), problems=problems)


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """A folder to be filled within the block; what is in it goes when the block fails."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidRequest(f"{folder} is not empty: name a folder that is, or a new one.")
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidRequest(f"{folder} cannot be made: {error.strerror}.") from None
    try:
        yield
    except BaseException:
        if made:
            shutil.rmtree(folder)
        else:
            shutil.rmtree(folder / BLOBS, ignore_errors=True)
            for name in (DATABASE, LIST):
                (folder / name).unlink(missing_ok=True)
        raise


def _copy_database(database: DatabaseFile, target: Path) -> DatabaseFile:
    target.unlink(missing_ok=True)
    with room_on_disk():
        database.copy(target)
    return DatabaseFile(target)


def _link(file: StoredFile, base: Path | None, target: Path) -> bool:
    """Whether an earlier backup has the file, which is linked then."""
    if base is None:
        return False
    source = base / BLOBS / file.checksum
    try:
        if source.stat().st_size != file.size:
            return False
        os.link(source, target / file.checksum)
    except OSError:
        # It is not there, or the disk knows no links: it is copied.
        return False
    return True


def _copy(file: StoredFile, source: Path, target: Path, advance: Advance) -> str | None:
    """Copy one file and check it; a sentence when it cannot be had as it was."""
    digest = hashlib.sha256()
    place = target / file.checksum
    try:
        with (source / file.checksum).open("rb") as old, room_on_disk(), place.open("xb") as new:
            while block := old.read(BLOCK):
                digest.update(block)
                new.write(block)
                advance(len(block))
            new.flush()
            os.fsync(new.fileno())
    except FileNotFoundError:
        return f"The file blobs/{file.checksum} is missing."
    except OSError as error:
        place.unlink(missing_ok=True)
        return f"The file blobs/{file.checksum} cannot be read: {error.strerror}."
    if digest.hexdigest() != file.checksum:
        place.unlink()
        return f"The file blobs/{file.checksum} has changed: its bytes have another checksum."
    return None


def _inspect(file: StoredFile, blobs: Blobs, advance: Advance, *, quick: bool) -> str | None:
    try:
        with closing(blobs.open(file.checksum)) as blob:
            if blob.size != file.size:
                return f"The file blobs/{file.checksum} has another length than it had."
            if not quick and _hash_blob(blob, advance) != file.checksum:
                return (
                    f"The file blobs/{file.checksum} has changed: its bytes have another checksum."
                )
    except FileNotFoundError:
        return f"The file blobs/{file.checksum} is missing."
    except OSError as error:
        return f"The file blobs/{file.checksum} cannot be read: {error.strerror}."
    return None


def _hash_blob(blob: Blob, advance: Advance) -> str:
    digest, done = hashlib.sha256(), 0
    while block := blob.read_at(done, BLOCK):
        digest.update(block)
        advance(len(block))
        done += len(block)
    return digest.hexdigest()


def _hash(path: Path, advance: Advance = lambda _: None) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            advance(len(block))
    return digest.hexdigest()


def _write_list(target: Path, database: DatabaseFile, files: list[StoredFile]) -> None:
    content = {
        "kind": KIND,
        "version": __version__,
        "made_at": datetime.now(UTC).strftime(TIME_FORMAT),
        "revision": database.get_revision(),
        "database": _hash(database.path),
        "files": [{"checksum": file.checksum, "size": file.size} for file in files],
    }
    sync_folder(target / BLOBS)
    with room_on_disk():
        (target / LIST).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        _sync(target / LIST)
    sync_folder(target)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _read_list(source: Path) -> Mapping[str, Any]:
    """What a backup says it holds; names in it lead nowhere else."""
    try:
        content = json.loads((source / LIST).read_text(encoding="utf-8"))
        files = [(str(e["checksum"]), int(e["size"])) for e in content["files"]]
        whole = content["kind"] == KIND and isinstance(content["database"], str)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        whole, files = False, []
    hexadecimal = set("0123456789abcdef")
    if not whole or any(len(c) != CHECKSUM_LENGTH or set(c) - hexadecimal for c, _ in files):
        raise InvalidRequest(f"{source} is no whole backup of Model Heritage.")
    return {**content, "files": [{"checksum": c, "size": s} for c, s in files]}
