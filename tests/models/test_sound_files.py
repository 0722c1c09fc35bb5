from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.blobs import DamagedFile
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.sound_files import SoundFiles
from model_heritage_backend.models.staged_files import PIECE

SIZE = 3 * PIECE + 1234


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path, max_file_bytes=10 * PIECE)


@pytest.fixture
def checksum(files: FileStore) -> str:
    content = os.urandom(SIZE)
    with files.receive(io.BytesIO(content).read) as staged:
        files.publish(staged)
        files.confirm(staged.checksum)
        return staged.checksum


def flip(files: FileStore, checksum: str, offset: int) -> None:
    """One bit of the disk turns."""
    with (files.data_dir / "blobs" / checksum).open("r+b") as file:
        file.seek(offset)
        [byte] = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def test_whole_and_parts(files: FileStore, checksum: str) -> None:
    content = (files.data_dir / "blobs" / checksum).read_bytes()
    sound = SoundFiles(files)
    for offset, size in ((PIECE + 5, 10), (0, 3), (SIZE - 4, 100), (2 * PIECE - 1, 2)):
        with sound.open(checksum, whole=False) as file:
            assert file.seek(offset) == file.tell() == offset
            got = b""
            while len(got) < size and (piece := file.read(size - len(got))):
                got += piece
            assert got == content[offset : offset + size]
    for again in range(2):
        with SoundFiles(files).open(checksum, whole=again == 0) as file:
            assert file.readall() == content, again
            assert (file.read(1), file.seek(-1, os.SEEK_END)) == (b"", SIZE - 1)
            assert file.read() == content[-1:]
    assert sound.list_damaged() == []


@pytest.mark.parametrize("offset", [0, PIECE, 2 * PIECE + 7, SIZE - 1])
def test_what_is_rotten_is_never_whole(files: FileStore, checksum: str, offset: int) -> None:
    flip(files, checksum, offset)
    sound = SoundFiles(files)
    got = b""
    with sound.open(checksum, whole=True) as file, pytest.raises(DamagedFile):
        while piece := file.read(1 << 16):
            got += piece
    assert len(got) <= 3 * PIECE
    # From then on it is known, also after a restart.
    for owner in (sound, SoundFiles(files)):
        assert owner.list_damaged() == [checksum]
        assert owner.is_lost(checksum)
        with pytest.raises(DamagedFile):
            owner.open(checksum, whole=False)
    sound.forget(checksum)
    assert SoundFiles(files).list_damaged() == []


@pytest.mark.parametrize("read_before", [True, False])
@pytest.mark.parametrize("piece", [0, 2])
def test_no_rotten_part_is_given(
    files: FileStore, checksum: str, piece: int, read_before: bool
) -> None:
    sound = SoundFiles(files)
    if read_before:
        assert sound.check(checksum)
    flip(files, checksum, piece * PIECE + 7)
    with sound.open(checksum, whole=False) as file:
        file.seek(piece * PIECE)
        with pytest.raises(DamagedFile):
            file.read(1)
    assert sound.list_damaged() == [checksum]


def test_every_flipped_bit_is_found(files: FileStore, checksum: str) -> None:
    sound = SoundFiles(files)
    for offset in range(0, SIZE, 100_003):
        flip(files, checksum, offset)
        assert not sound.check(checksum)
        flip(files, checksum, offset)
        assert sound.check(checksum)
        assert sound.list_damaged() == []


def test_missing(files: FileStore, checksum: str) -> None:
    files.remove(checksum)
    sound = SoundFiles(files)
    assert sound.is_lost(checksum)
    assert not sound.check(checksum)
    assert sound.list_damaged() == []
    with pytest.raises(NotFound):
        sound.open(checksum, whole=False)
