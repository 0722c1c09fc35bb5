from __future__ import annotations

import hashlib
import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from model_heritage_backend.errors import (
    Conflict,
    FileTooLarge,
    InsufficientStorage,
    InvalidRequest,
)
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.staged_files import format_bytes
from tests.served import list_files

CONTENT = bytes(range(256)) * 5000
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


@pytest.fixture
def files(folder: Path) -> FileStore:
    return FileStore(folder, max_file_bytes=2_000_000)


def receive(files: FileStore, content: bytes = CONTENT) -> str:
    """All the way to a committed file."""
    with files.receive(io.BytesIO(content).read) as staged:
        files.publish(staged)
        files.confirm(staged.checksum)
        return staged.checksum


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to let any file grow beyond ``size``, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_received_file_is_named_by_its_bytes(files: FileStore, folder: Path) -> None:
    assert receive(files) == CHECKSUM
    assert (files.data_dir / "blobs" / CHECKSUM).read_bytes() == CONTENT
    assert list_files(folder) == {"staging": [], "blobs": [CHECKSUM]}


def test_nothing_is_renamed_before_it_is_on_the_disk(
    files: FileStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Watches the real calls: their order is what a power cut would test."""
    seen: list[str] = []
    sync, replace = os.fsync, Path.replace

    def watch_sync(descriptor: int) -> None:
        seen.append("sync " + Path(f"/proc/self/fd/{descriptor}").readlink().name)
        sync(descriptor)

    def watch_replace(path: Path, target: Path) -> Path:
        seen.append(f"rename {path.name} {target.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", watch_sync)
    monkeypatch.setattr(Path, "replace", watch_replace)
    with files.receive(io.BytesIO(CONTENT).read) as staged:
        name = staged.path.name
        files.publish(staged)
    assert seen == [f"sync {name}", "sync staging", f"rename {name} {CHECKSUM}", "sync blobs"]


def test_closing_without_publishing_leaves_nothing(files: FileStore, folder: Path) -> None:
    staged = files.receive(io.BytesIO(CONTENT).read)
    assert staged.path.read_bytes() == CONTENT
    assert (staged.size, staged.checksum) == (len(CONTENT), CHECKSUM)
    staged.close()
    staged.close()
    assert list_files(folder) == {"staging": [], "blobs": []}


def test_too_large(files: FileStore, folder: Path) -> None:
    with pytest.raises(FileTooLarge, match=r"1\.9 MiB"):
        files.receive(io.BytesIO(CONTENT * 2).read)
    assert list_files(folder)["staging"] == []


def test_broken_off(files: FileStore, folder: Path) -> None:
    def read(size: int) -> bytes:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        files.receive(read)
    assert list_files(folder)["staging"] == []


def test_less_than_announced(files: FileStore, folder: Path) -> None:
    """A connection that is closed early looks like the end of the body."""
    with pytest.raises(InvalidRequest, match="of 1280001 bytes"):
        files.receive(io.BytesIO(CONTENT).read, expected_bytes=len(CONTENT) + 1)
    assert list_files(folder)["staging"] == []


def test_retracted(files: FileStore, folder: Path) -> None:
    """What was published and not confirmed comes back; nothing else does."""
    target = folder / "back"
    with files.receive(io.BytesIO(CONTENT).read) as staged:
        files.publish(staged)
    assert files.retract(CHECKSUM, target)
    assert target.read_bytes() == CONTENT
    assert list_files(folder) == {"staging": [], "blobs": []}
    receive(files)
    assert not files.retract(CHECKSUM, target)
    assert list_files(folder)["blobs"] == [CHECKSUM]


def test_announced_size_that_cannot_fit(files: FileStore, folder: Path) -> None:
    with pytest.raises(InsufficientStorage, match="TiB"):
        files.stage(expected_bytes=1 << 60)
    assert list_files(folder)["staging"] == []


def test_disk_fills_up_while_receiving(files: FileStore, folder: Path) -> None:
    with largest_file(300_000), pytest.raises(InsufficientStorage):
        files.receive(io.BytesIO(CONTENT).read)
    assert list_files(folder)["staging"] == []


def test_disk_fills_up_with_the_last_bytes(files: FileStore, folder: Path) -> None:
    """They are still buffered when the file ends: only ``finish`` sees that they do not fit."""
    with largest_file(50), files.stage() as staged:
        staged.write(b"x" * 100)
        with pytest.raises(InsufficientStorage):
            staged.finish()
    assert list_files(folder)["staging"] == []


def test_sweep_takes_what_nobody_was_told_about(files: FileStore, folder: Path) -> None:
    committed = receive(files)
    # Killed while receiving; between renaming and committing; between committing and confirming.
    received = files.receive(io.BytesIO(b"half").read)
    uncommitted = files.receive(io.BytesIO(b"uncommitted").read)
    files.publish(uncommitted)
    unconfirmed = files.receive(io.BytesIO(b"unconfirmed").read)
    files.publish(unconfirmed)
    assert files.sweep({committed, unconfirmed.checksum}.__contains__) == 2
    assert list_files(folder) == {
        "staging": [],
        "blobs": sorted([committed, unconfirmed.checksum]),
    }
    for staged in (received, uncommitted, unconfirmed):
        staged.close()


def test_sweep_finishes_a_deletion(files: FileStore, folder: Path) -> None:
    checksum = receive(files)
    files.mark(checksum)
    files.sweep(set[str]().__contains__)
    assert list_files(folder) == {"staging": [], "blobs": []}


def test_sweep_with_the_wrong_database_removes_no_committed_file(files: FileStore) -> None:
    checksum = receive(files)
    assert files.sweep(set[str]().__contains__) == 0
    assert (files.data_dir / "blobs" / checksum).read_bytes() == CONTENT


def test_missing_files_are_named(files: FileStore) -> None:
    checksum = receive(files)
    assert files.list_missing({checksum, "gone"}) == ["gone"]


def test_folder_has_one_owner(files: FileStore, folder: Path) -> None:
    files.acquire()
    other = FileStore(folder, max_file_bytes=1)
    with pytest.raises(Conflict, match="MODEL_HERITAGE_DATA_DIR"):
        other.acquire()
    files.release()
    other.acquire()
    other.release()


def test_a_killed_owner_does_not_keep_the_folder(files: FileStore, folder: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path;"
        "from model_heritage_backend.models.files import FileStore;"
        "files = FileStore(Path(sys.argv[1]), max_file_bytes=1); files.acquire();"
        "print('mine', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "mine\n"
        with pytest.raises(Conflict):
            files.acquire()
        owner.kill()
        owner.wait()
    files.acquire()
    files.release()


def test_unusable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidRequest, match="cannot be used"):
        FileStore(tmp_path / "file" / "below", max_file_bytes=1)


def test_sizes_for_people() -> None:
    assert [format_bytes(n) for n in (12, 2048, 5 * 1024**3)] == ["12 bytes", "2.0 KiB", "5.0 GiB"]
