"""ZIP containers: both descriptions of every record must agree; only stored records are used."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.zip_directory import Record, locate_records, read_directory


def build(records: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytearray:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    return bytearray(buffer.getvalue())


def locate(data: bytes, tmp_path: Path, limits: Limits | None = None) -> dict[str, Record]:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    file = OpenFile(path)
    try:
        entries = read_directory(file, limits or Limits())
        return locate_records(file, entries, limits or Limits())
    finally:
        file.close()


def test_finds_every_record(tmp_path: Path) -> None:
    data = build({"a": b"123", "b/c": b"", "é": b"4567"})
    records = locate(data, tmp_path)
    assert {n: data[r.offset : r.offset + r.size] for n, r in records.items()} == {
        "a": b"123",
        "b/c": b"",
        "é": b"4567",
    }


def test_reads_the_64_bit_form(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("a", "w", force_zip64=True) as file:
        file.write(b"123")
    plain = buffer.getvalue()
    start = plain.index(b"PK\1\2")
    end = plain.index(b"PK\5\6")
    # The same directory with every size moved to the 64-bit extra field and a 64-bit end record.
    entry = bytearray(plain[start:end])
    sizes = struct.unpack_from("<2L", entry, 20)
    struct.pack_into("<2L", entry, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", entry, 30, 28)
    struct.pack_into("<L", entry, 42, 0xFFFFFFFF)
    entry += struct.pack("<2H3Q", 1, 24, sizes[1], sizes[0], 0)
    end64 = struct.pack(
        "<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(entry), start
    ) + struct.pack("<4sLQL", b"PK\6\7", 0, start + len(entry), 1)
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    data = plain[:start] + entry + end64 + tail

    record = locate(data, tmp_path)["a"]
    assert data[record.offset : record.offset + record.size] == b"123"
    with pytest.raises(InvalidWeights, match="too large"):
        locate(data.replace(b"PK\6\7", b"PK\6\0"), tmp_path)
    with pytest.raises(InvalidWeights, match="directory is damaged"):
        locate(data[:-14] + struct.pack("<2H", 2, 2) + data[-10:], tmp_path)
    with pytest.raises(InvalidWeights, match="directory is damaged"):
        locate(data.replace(b"PK\6\6", b"PK\6\0"), tmp_path)


def test_compressed_records_are_refused(tmp_path: Path) -> None:
    bomb = build({"x/data.pkl": bytes(1 << 20)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 5000
    with pytest.raises(InvalidWeights, match=r"'x/data\.pkl' is compressed or encrypted"):
        locate(bomb, tmp_path)


def test_encrypted_records_are_refused(tmp_path: Path) -> None:
    data = build({"a": b"123"})
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(InvalidWeights, match="compressed or encrypted"):
        locate(data, tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicated_names_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("a", b"2")
    with pytest.raises(InvalidWeights, match="holds 'a' twice"):
        locate(buffer.getvalue(), tmp_path)


def test_overlapping_records_are_refused(tmp_path: Path) -> None:
    """Two directory entries that share one record's bytes: the classic quine and bomb layout."""
    inner = build({"b": b"x"})[:32]
    data = build({"a": bytes(inner), "b": b"x"})
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    struct.pack_into("<L", data, second + 42, 31)  # the copy of b's header within a's bytes
    with pytest.raises(InvalidWeights, match="'b' overlaps another"):
        locate(data, tmp_path)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, b"XX", "header of 'a' is damaged"),
        (8, b"\x08\0", "header of 'a' is damaged"),
        (18, b"\x09\0\0\0", "header of 'a' has another size"),
        (22, b"\x09\0\0\0", "header of 'a' has another size"),
        (30, b"b", "header of 'a' has another name"),
    ],
)
def test_a_record_must_agree_with_the_directory(
    tmp_path: Path, place: int, value: bytes, reason: str
) -> None:
    data = build({"a": b"123"})
    data[place : place + len(value)] = value
    with pytest.raises(InvalidWeights, match=reason):
        locate(data, tmp_path)


def test_records_beyond_the_file_are_refused(tmp_path: Path) -> None:
    data = build({"a": b"123"})
    for at in (data.index(b"PK\1\2") + 20, data.index(b"PK\1\2") + 24, 18, 22):
        struct.pack_into("<L", data, at, 1000)
    with pytest.raises(InvalidWeights, match="'a' overlaps its directory"):
        locate(data, tmp_path)


@pytest.mark.parametrize(
    ("place", "form", "value", "reason"),
    [
        (4, "<H", 1, "one part of several"),
        (8, "<H", 7, "one part of several"),
        (12, "<L", 9, "not where it should be"),
        (12, "<L", 1 << 30, "too large"),
        (16, "<L", 9, "not where it should be"),
        (20, "<H", 9, "something follows its end"),
    ],
)
def test_a_damaged_end_is_refused(
    tmp_path: Path, place: int, form: str, value: int, reason: str
) -> None:
    data = build({"a": b"123"})
    struct.pack_into(form, data, data.index(b"PK\5\6") + place, value)
    with pytest.raises(InvalidWeights, match=reason):
        locate(data, tmp_path)


def test_prefixes_and_suffixes_are_refused(tmp_path: Path) -> None:
    data = bytes(build({"a": b"123"}))
    with pytest.raises(InvalidWeights, match="not where it should be"):
        locate(b"#!/bin/sh\n" + data, tmp_path)
    with pytest.raises(InvalidWeights, match="something follows its end"):
        locate(data + b"more", tmp_path)


def test_the_directory_is_limited(tmp_path: Path) -> None:
    data = build({str(i): b"" for i in range(5)})
    with pytest.raises(InvalidWeights, match="too large"):
        locate(data, tmp_path, Limits(zip_entries=4))
    with pytest.raises(InvalidWeights, match="too large"):
        locate(data, tmp_path, Limits(zip_directory_bytes=100))
    with pytest.raises(InvalidWeights, match="longer than 1 bytes"):
        locate(build({"long": b""}), tmp_path, Limits(name_length=1))


def test_names_must_be_text(tmp_path: Path) -> None:
    data = bytes(build({"a": b"123"})).replace(b"a", b"\xff")
    with pytest.raises(InvalidWeights, match="UTF-8"):
        locate(data, tmp_path)
