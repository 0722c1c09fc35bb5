from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from model_heritage_backend.errors import FileTooLarge, InsufficientStorage
from model_heritage_backend.models import reception as reception_room
from model_heritage_backend.models.reception import (
    LEAST_PIECE,
    Check,
    Reception,
    UploadRecord,
    UploadState,
    _read_pieces,
)
from model_heritage_backend.models.staged_files import PIECE
from tests.models.test_files import largest_file

CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def reception(tmp_path: Path) -> Reception:
    return Reception.create(tmp_path, UploadRecord(id="u", length=len(CONTENT)))


def load(tmp_path: Path) -> Reception:
    """As after a restart."""
    return Reception.load(tmp_path / "u.json")


def send(reception: Reception, content: bytes, check: Check | None = None) -> None:
    reception.append(io.BytesIO(content).read, expected=len(content), check=check)


def find_checksum(reception: Reception) -> str:
    with reception.open_whole() as whole:
        assert (whole.size, whole.path) == (len(CONTENT), reception.path)
        return whole.checksum


def test_bytes_are_hashed_as_they_come(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    open_ = Path.open

    def watch(path: Path, mode: str = "r", **more: Any) -> Any:
        opened.append(mode)
        return open_(path, mode, **more)

    monkeypatch.setattr(Path, "open", watch)
    for start in range(0, len(CONTENT), 100_000):
        send(reception, CONTENT[start : start + 100_000])
    assert find_checksum(reception) == hashlib.sha256(CONTENT).hexdigest()
    assert "rb" not in opened
    assert reception.complete


@pytest.mark.parametrize("restarts", [1, 3])
def test_after_a_restart_they_are_hashed_again(
    reception: Reception, tmp_path: Path, restarts: int
) -> None:
    step = len(CONTENT) // (restarts + 1)
    for start in range(0, len(CONTENT), step):
        send(reception, CONTENT[start : start + step])
        reception = load(tmp_path)
        assert reception.offset == min(start + step, len(CONTENT))
    assert find_checksum(reception) == hashlib.sha256(CONTENT).hexdigest()


def test_bytes_that_nobody_acknowledged_count_after_a_kill(
    reception: Reception, tmp_path: Path
) -> None:
    send(reception, CONTENT[:1000])
    with reception.path.open("ab") as file:
        file.write(CONTENT[1000:1500])
    again = load(tmp_path)
    assert again.offset == 1500
    send(again, CONTENT[1500:])
    assert find_checksum(again) == hashlib.sha256(CONTENT).hexdigest()


def test_unverified_bytes_do_not_count_after_a_kill(reception: Reception, tmp_path: Path) -> None:
    send(reception, CONTENT[:1000])

    class KilledError(BaseException):
        pass

    def read(size: int) -> bytes:
        if reception.offset == 1000:
            return b"unverified"
        # The files as they are on the disk at this moment.
        for name in ("u", "u.json"):
            (tmp_path / "copy" / name).write_bytes((tmp_path / name).read_bytes())
        raise KilledError

    (tmp_path / "copy").mkdir()
    with pytest.raises(KilledError):
        reception.append(read, expected=None, check=Check("sha1", b"x" * 20))
    assert (tmp_path / "copy" / "u").stat().st_size == 1010
    assert load(tmp_path / "copy").offset == 1000
    assert load(tmp_path).offset == reception.offset == 1000


def test_too_much_without_an_announced_length(reception: Reception) -> None:
    """As a chunked body."""
    send(reception, CONTENT[:1000])
    with pytest.raises(FileTooLarge):
        reception.append(io.BytesIO(CONTENT).read, expected=None, check=None)
    assert reception.offset == reception.path.stat().st_size == 1000
    send(reception, CONTENT[1000:])
    assert find_checksum(reception) == hashlib.sha256(CONTENT).hexdigest()


def test_a_full_disk_keeps_what_fits(reception: Reception) -> None:
    with largest_file(300_000), pytest.raises(InsufficientStorage):
        send(reception, CONTENT)
    assert reception.offset == 300_000
    send(reception, CONTENT[300_000:])
    assert find_checksum(reception) == hashlib.sha256(CONTENT).hexdigest()


def test_bytes_are_synced_before_they_are_acknowledged(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr(
        os,
        "fsync",
        lambda descriptor: synced.append(Path(f"/proc/self/fd/{descriptor}").stat().st_size),
    )
    send(reception, CONTENT[:1000])
    assert synced == [1000]


def test_settling_removes_the_bytes(reception: Reception, tmp_path: Path) -> None:
    send(reception, CONTENT)
    reception.change(state=UploadState.RECEIVED, problem={"detail": "busy"})
    reception.settle(UploadState.DONE, model_id="m")
    assert not reception.path.exists()
    # Killed before they were removed.
    reception.path.write_bytes(CONTENT)
    again = load(tmp_path)
    assert not again.path.exists()
    assert again.complete
    assert again.record == reception.record
    assert (again.record.model_id, again.record.problem) == ("m", None)


def test_pieces_grow_with_the_speed_of_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small piece is lost where a slow sender breaks off, and a quick one is not held up."""
    for slow in (False, True):
        asked: list[int] = []
        clock = iter(range(1000)) if slow else iter(float(n) / 1000 for n in range(1000))
        monkeypatch.setattr(reception_room, "time", SimpleNamespace(monotonic=clock.__next__))
        source = io.BytesIO(CONTENT)

        def read(size: int, asked: list[int] = asked, source: io.BytesIO = source) -> bytes:
            asked.append(size)
            return source.read(size)

        assert b"".join(_read_pieces(read)) == CONTENT
        sizes = {LEAST_PIECE} if slow else {LEAST_PIECE << n for n in range(5)}
        assert set(asked) == sizes and max(sizes) <= PIECE
