"""The directory of a ZIP file, read by itself and checked against every record's own header.

The standard library's reader unpacks, follows prefixes and accepts contradictions between the two
descriptions that a ZIP file holds of each record; here both must agree, so that no two programs see
different contents in one file. Only plain stored records may be used, unless a format has packed
ones and asks for them.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile

END = struct.Struct("<4s4H2LH")
END64_PLACE = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
LONGEST_COMMENT = 0xFFFF
ENCRYPTED, SIZES_FOLLOW = 0x1, 0x8
IN_EXTRA_16, IN_EXTRA_32 = 0xFFFF, 0xFFFFFFFF
STORED, DEFLATED = 0, 8


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One record as the directory lists it; ``header`` is the place of the record's own header."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    header: int


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record of ``size`` bytes. They lie at ``offset`` of the file, as they are or, where
    ``deflated``, packed into ``packed`` bytes; ``crc`` is their CRC-32.
    """

    name: str
    offset: int
    size: int
    packed: int
    crc: int
    deflated: bool


def read_directory(file: OpenFile, limits: Limits) -> dict[str, Entry]:
    """What the file's directory lists, by name; the records themselves are not looked at.

    Raises
    ------
    InvalidWeights
        When the directory is missing, damaged, too large, or lists a name twice.
    """
    start, size, count = _find_directory(file, limits)
    data = file.read_bytes(start, size)
    entries: dict[str, Entry] = {}
    at = 0
    for _ in range(count):
        if at + CENTRAL.size > len(data):
            raise _broken("its directory is cut off")
        entry, at = _parse_entry(data, at, limits)
        if entry.header + LOCAL.size + len(entry.name.encode()) + entry.packed > start:
            raise _broken(f"{quote(entry.name)} overlaps its directory")
        if entry.name in entries:
            raise _broken(f"it holds {quote(entry.name)} twice")
        entries[entry.name] = entry
    if at != len(data):
        raise _broken("its directory holds more than it counts")
    return entries


def locate_records(
    file: OpenFile, entries: Mapping[str, Entry], limits: Limits, *, deflated: bool = False
) -> dict[str, Record]:
    """Where every record's bytes lie.

    ``deflated``: whether records may be packed by deflate, too.

    Raises
    ------
    InvalidWeights
        For records that are encrypted or packed in other ways, for a record's header that
        contradicts the directory, and for records that overlap or leave the file.
    """
    records: dict[str, Record] = {}
    free_from = 0
    for entry in sorted(entries.values(), key=lambda entry: entry.header):
        plain = entry.method == STORED and entry.packed == entry.size
        known = plain or (deflated and entry.method == DEFLATED)
        if not known or entry.flags & ENCRYPTED:
            raise _broken(f"{quote(entry.name)} is compressed or encrypted, not stored as it is")
        if entry.header < free_from:
            raise _broken(f"{quote(entry.name)} overlaps another record")
        offset = _check_local_header(file, entry, limits)
        free_from = offset + entry.packed
        if free_from > file.size:
            raise _broken(f"{quote(entry.name)} is cut off")
        records[entry.name] = Record(
            name=entry.name,
            offset=offset,
            size=entry.size,
            packed=entry.packed,
            crc=entry.crc,
            deflated=entry.method == DEFLATED,
        )
    return records


def _find_directory(file: OpenFile, limits: Limits) -> tuple[int, int, int]:
    """(start, bytes, entries) of the directory, which must end where its end record begins."""
    tail_size = min(file.size, END.size + LONGEST_COMMENT)
    tail_start = file.size - tail_size
    tail = file.read_bytes(tail_start, tail_size)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + END.size > len(tail):
        raise _broken("it is cut off: the directory at its end is missing")
    _, disk, first_disk, here, count, size, start, comment = END.unpack_from(tail, at)
    if at + END.size + comment != len(tail):
        raise _broken("something follows its end")
    end = tail_start + at
    if at >= END64_PLACE.size and tail.startswith(b"PK\6\7", at - END64_PLACE.size):
        # PyTorch always writes the 64-bit form beside the 32-bit one.
        _, disk, place, _ = END64_PLACE.unpack_from(tail, at - END64_PLACE.size)
        if place + END64.size + END64_PLACE.size != end:
            raise _broken("its directory is not where it should be")
        fields = END64.unpack(file.read_bytes(place, END64.size))
        wide = fields[7:10]
        if fields[0] != b"PK\6\6" or not _agree((count, size, start), wide):
            raise _broken("its directory is damaged")
        first_disk, here, count, size, start = fields[5:10]
        end = place
    if disk or first_disk or here != count:
        raise _broken("it is one part of several")
    if count > limits.zip_entries or size > limits.zip_directory_bytes:
        raise _broken(f"its directory is too large ({count:,} records)")
    if start + size != end:
        raise _broken("its directory is not where it should be")
    return start, size, count


def _agree(narrow: tuple[int, int, int], wide: tuple[int, int, int]) -> bool:
    """Whether the 32-bit end record says the same as the 64-bit one, where it says anything."""
    unsaid = (IN_EXTRA_16, IN_EXTRA_32, IN_EXTRA_32)
    return all(n in (w, u) for n, w, u in zip(narrow, wide, unsaid, strict=True))


def _parse_entry(data: bytes, at: int, limits: Limits) -> tuple[Entry, int]:
    fields = CENTRAL.unpack_from(data, at)
    magic, _, _, flags, method, _, _, crc, packed, size = fields[:10]
    name_size, extra_size, comment = fields[10:13]
    disk, header = fields[13], fields[16]
    at += CENTRAL.size
    end = at + name_size + extra_size + comment
    if magic != b"PK\1\2" or end > len(data) or disk not in (0, IN_EXTRA_16):
        raise _broken("its directory is damaged")
    name = _decode_name(data[at : at + name_size], limits)
    extra = data[at + name_size : at + name_size + extra_size]
    size, packed, header = _widen(extra, (size, packed, header))
    return Entry(
        name=name,
        method=method,
        flags=flags,
        crc=crc,
        packed=packed,
        size=size,
        header=header,
    ), end


def _widen(extra: bytes, values: tuple[int, ...]) -> tuple[int, ...]:
    """Replace 32-bit fields that are all ones by the 64-bit ones of extra field 1, in order."""
    if IN_EXTRA_32 not in values:
        return values
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        at += 4
        wanted = sum(8 for value in values if value == IN_EXTRA_32)
        if kind == 1 and wanted <= size and at + size <= len(extra):
            wide = iter(struct.unpack_from(f"<{wanted // 8}Q", extra, at))
            return tuple(next(wide) if value == IN_EXTRA_32 else value for value in values)
        at += size
    raise _broken("a large record's size is missing")


def _check_local_header(file: OpenFile, entry: Entry, limits: Limits) -> int:
    """Offset of the record's bytes."""
    fields = LOCAL.unpack(file.read_bytes(entry.header, LOCAL.size))
    magic, _, flags, method, _, _, _, packed, size, name_size, extra_size = fields
    text = file.read_bytes(entry.header + LOCAL.size, name_size + extra_size)
    if magic != b"PK\3\4" or method != entry.method:
        raise _broken(f"the header of {quote(entry.name)} is damaged")
    if _decode_name(text[:name_size], limits) != entry.name:
        raise _broken(f"the header of {quote(entry.name)} has another name")
    size, packed = _widen(text[name_size:], (size, packed))
    unknown = flags & SIZES_FOLLOW and (size, packed) == (0, 0)
    if not unknown and (size, packed) != (entry.size, entry.packed):
        raise _broken(f"the header of {quote(entry.name)} has another size")
    return entry.header + LOCAL.size + int(name_size) + int(extra_size)


def _decode_name(name: bytes, limits: Limits) -> str:
    if len(name) > limits.name_length:
        raise _broken(f"a record's name is longer than {limits.name_length} bytes")
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise _broken("a record's name is not valid UTF-8") from None


def _broken(reason: str) -> InvalidWeights:
    return InvalidWeights(f"The ZIP container of this file is not valid: {reason}.")
