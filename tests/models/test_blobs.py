"""One suite for whatever keeps the files: a folder, and an object storage."""

from __future__ import annotations

import errno
import hashlib
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend.errors import InsufficientStorage
from model_heritage_backend.models import object_blobs
from model_heritage_backend.models.blob_cache import BlobCache
from model_heritage_backend.models.blobs import Blobs, DamagedFile, FolderBlobs, StorageUnavailable
from model_heritage_backend.models.object_blobs import ObjectBlobs
from tests.s3_server import BUCKET, S3Server

CONTENT = b"weights" * 1000
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
PART = 5 << 20
"""The smallest that S3 takes."""


def open_objects(folder: Path, *, limit: int = 1 << 20, free: int = 1 << 30) -> ObjectBlobs:
    def check_room(size: int) -> None:
        if size > free:
            raise InsufficientStorage("full")

    folder.mkdir(exist_ok=True)
    cache = BlobCache(folder / "cache", limit=limit)
    return ObjectBlobs(f"s3://{BUCKET}/{folder.parent.name}", cache=cache, check_room=check_room)


@pytest.fixture
def objects(s3: S3Server, tmp_path: Path) -> ObjectBlobs:
    return open_objects(tmp_path / "here")


@pytest.fixture(params=["folder", "objects"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "folder":
        (tmp_path / "blobs").mkdir()
        return FolderBlobs(tmp_path / "blobs")
    found: Blobs = request.getfixturevalue("objects")
    return found


def keep(blobs: Blobs, folder: Path, content: bytes = CONTENT, name: str = CHECKSUM) -> Path:
    path = folder / "received"
    path.write_bytes(content)
    blobs.send(path, name)
    blobs.keep(path, name)
    return path


def read(blobs: Blobs, checksum: str = CHECKSUM) -> bytes:
    with closing(blobs.open(checksum)) as blob:
        return blob.read_at(0, blob.size + 10)


def test_what_is_kept_is_read_at_any_place(blobs: Blobs, tmp_path: Path) -> None:
    blobs.ask()
    assert not blobs.has(CHECKSUM)
    path = keep(blobs, tmp_path)
    assert path.exists() != blobs.takes_files
    assert blobs.has(CHECKSUM)
    with closing(blobs.open(CHECKSUM)) as blob:
        assert blob.size == len(CONTENT)
        assert blob.read_at(3, 7) == CONTENT[3:10]
        assert blob.read_at(0, 2) == CONTENT[:2]
        assert blob.read_at(len(CONTENT) - 2, 10) == CONTENT[-2:]
        assert blob.read_at(len(CONTENT), 10) == b""
    with blobs.borrow(CHECKSUM) as whole:
        assert whole.read_bytes() == CONTENT


def test_what_was_never_kept_is_not_found(blobs: Blobs) -> None:
    with pytest.raises(FileNotFoundError):
        blobs.open(CHECKSUM)
    with pytest.raises(FileNotFoundError), blobs.borrow(CHECKSUM) as path:
        path.read_bytes()
    blobs.remove(CHECKSUM)


def test_taken_back_it_is_where_it_was(blobs: Blobs, tmp_path: Path) -> None:
    path = keep(blobs, tmp_path)
    assert blobs.take_back(CHECKSUM, path)
    assert path.read_bytes() == CONTENT
    assert not blobs.has(CHECKSUM)
    path.unlink()
    assert not blobs.take_back(CHECKSUM, path)


def test_removed_it_is_gone(blobs: Blobs, tmp_path: Path) -> None:
    keep(blobs, tmp_path)
    blobs.remove(CHECKSUM)
    assert not blobs.has(CHECKSUM)
    with pytest.raises(FileNotFoundError), blobs.borrow(CHECKSUM) as path:
        path.read_bytes()


def test_all_are_listed(blobs: Blobs, tmp_path: Path) -> None:
    assert list(blobs.list_all()) == []
    names = sorted(hashlib.sha256(bytes([n])).hexdigest() for n in range(5))
    for name in names:
        keep(blobs, tmp_path, name=name)
    found = sorted(blobs.list_all(), key=lambda blob: blob.checksum)
    assert [blob.checksum for blob in found] == names
    assert {blob.size for blob in found} == {len(CONTENT)}
    assert all(abs(blob.changed_at - time.time()) < 60 for blob in found)


def test_a_damaged_one_is_replaced(blobs: Blobs, tmp_path: Path) -> None:
    keep(blobs, tmp_path, CONTENT[:-1] + b"?")
    path = tmp_path / "again"
    path.write_bytes(CONTENT)
    blobs.keep(path, CHECKSUM, anew=True)
    assert read(blobs) == CONTENT
    with blobs.borrow(CHECKSUM) as whole:
        assert whole.read_bytes() == CONTENT


def test_what_was_sent_and_removed_is_sent_again(objects: ObjectBlobs, tmp_path: Path) -> None:
    path = tmp_path / "received"
    path.write_bytes(CONTENT)
    objects.send(path, CHECKSUM)
    objects.remove(CHECKSUM)
    objects.keep(path, CHECKSUM)
    assert read(objects) == CONTENT


def test_a_large_file_goes_in_parts(
    objects: ObjectBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_blobs, "PART", PART)
    content = bytes(range(256)) * (2 * PART // 256) + b"end"
    checksum = hashlib.sha256(content).hexdigest()
    keep(objects, tmp_path, content, checksum)
    with closing(objects.open(checksum)) as blob:
        assert blob.read_at(PART - 3, 6) == content[PART - 3 : PART + 3]
    elsewhere = open_objects(tmp_path / "here", limit=0)
    with elsewhere.borrow(checksum) as path, path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == checksum
    assert list((tmp_path / "here" / "cache").iterdir()) == []


def test_what_another_machine_fetches_is_checked(objects: ObjectBlobs, tmp_path: Path) -> None:
    keep(objects, tmp_path, CONTENT[:-1] + b"?")
    objects.give_room()
    with pytest.raises(DamagedFile), objects.borrow(CHECKSUM):
        pass
    assert list((tmp_path / "here" / "cache").iterdir()) == []


def test_a_disk_that_fills_is_no_fault_of_the_storage(
    objects: ObjectBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(objects, tmp_path)
    objects.give_room()

    def fill(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(objects._system, "get_file", fill)
    with pytest.raises(InsufficientStorage), objects.borrow(CHECKSUM):
        pass


def test_nothing_is_fetched_that_does_not_fit(objects: ObjectBlobs, tmp_path: Path) -> None:
    keep(objects, tmp_path)
    objects.give_room()
    full = open_objects(tmp_path / "here", free=10)
    with pytest.raises(InsufficientStorage), full.borrow(CHECKSUM):
        pass


def test_a_missing_bucket_is_no_storage(objects: ObjectBlobs, tmp_path: Path) -> None:
    path = tmp_path / "received"
    path.write_bytes(CONTENT)
    wrong = ObjectBlobs("s3://none/x", cache=objects.cache, check_room=lambda _: None)
    for use in (wrong.ask, lambda: wrong.send(path, CHECKSUM)):
        with pytest.raises(StorageUnavailable):
            use()
