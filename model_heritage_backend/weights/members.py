"""Files inside a ZIP file, read as if they lay in the folder: nothing is unpacked to disk."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.zip_directory import Record

PIECE = 1 << 18
RESTART_BYTES = 1 << 25
"""The state of unpacking is kept this often: going back unpacks at most so much again."""
ACTIVE = 16
"""Members of an archive whose states are kept; of each, 40 KB per RESTART_BYTES."""
ALWAYS_UNPACKED = 1 << 24
"""Bytes that small archives may hold, however well they are packed."""
DENSEST = 1100
"""Deflate packs 1,032 bytes into one at most."""


def check_unpacked(records: Iterable[Record], file_size: int, limits: Limits) -> None:
    """Refuse an archive that would unpack to far more than it is.

    Raises
    ------
    InvalidWeights
    """
    total = sum(record.size for record in records if record.deflated)
    if total > max(limits.unpacked * file_size, ALWAYS_UNPACKED):
        raise InvalidWeights(
            f"The archive claims to unpack to {total:,} bytes, far more than the file's "
            f"{file_size:,}."
        )


class Archive:
    """An open ZIP file whose members are read; it must stay open as long."""

    def __init__(self, file: OpenFile) -> None:
        self.file = file
        self.lock = threading.Lock()
        """Held while packed members are read: their states know of each other."""
        self._active: OrderedDict[int, DeflatedMember] = OrderedDict()

    def open_member(self, record: Record) -> OpenFile:
        """One file of the archive.

        Raises
        ------
        InvalidWeights
            When it claims to unpack to more than its packed size can hold.
        """
        if not record.deflated:
            return StoredMember(self.file, record.offset, record.size)
        if record.size > DENSEST * record.packed:
            raise InvalidWeights(f"{quote(record.name)} claims more than it can be packed from.")
        return DeflatedMember(self, record)

    def activate(self, member: DeflatedMember) -> None:
        """Note that a member is read now; the one that has waited longest forgets its states."""
        self._active[id(member)] = member
        self._active.move_to_end(id(member))
        if len(self._active) > ACTIVE:
            self._active.popitem(last=False)[1].forget()


class StoredMember(OpenFile):
    """A run of bytes of another open file."""

    def __init__(self, outer: OpenFile, offset: int, size: int) -> None:
        self._outer = outer
        self._offset = offset
        self._begin(size, tells_cached=outer.tells_cached)

    def _fill(self, view: memoryview, offset: int) -> None:
        self._outer._fill(view, self._offset + offset)

    def _read_cached(self, view: memoryview, offset: int) -> int:
        return self._outer._read_cached(view, self._offset + offset)

    def _fetch(self, offset: int, count: int) -> None:
        self._outer._fetch(self._offset + offset, count)

    def close(self) -> None:
        self._end()


@dataclass(frozen=True)
class _Point:
    """Where unpacking can go on: bytes unpacked and taken so far, and the state between."""

    unpacked: int
    taken: int
    state: Any = field(repr=False)


class DeflatedMember(StoredMember):
    """A packed run of bytes, unpacked as it is read.

    Its checksum and length are checked when its last byte is unpacked for the first time.
    """

    def __init__(self, archive: Archive, record: Record) -> None:
        super().__init__(archive.file, record.offset, record.size)
        self.tells_cached = False
        self._archive = archive
        self._record = record
        self._crc = self._checked = 0
        self.forget()

    def forget(self) -> None:
        """Unpack from the beginning again when it is read next."""
        self._points = [_Point(0, 0, None)]
        self._at = self._points[0]
        self._pending = b""

    def _fill(self, view: memoryview, offset: int) -> None:
        with self._archive.lock:
            self._archive.activate(self)
            self._unpack_into(view, offset)

    def _unpack_into(self, view: memoryview, offset: int) -> None:
        if offset < self._at.unpacked or self._at.state is None:
            self._restart(offset)
        done = 0
        while done < len(view):
            start = self._at.unpacked
            piece = self._take()
            skip = max(offset + done - start, 0)
            part = piece[skip : skip + len(view) - done]
            view[done : done + len(part)] = part
            done += len(part)
            if done == len(view) and skip + len(part) < len(piece):
                self._pending = piece[skip + len(part) :]
                self._at = _Point(start + skip + len(part), self._at.taken, self._at.state)

    def _fetch(self, offset: int, count: int) -> None:
        """Nobody knows where in the archive these bytes are."""

    def _restart(self, offset: int) -> None:
        point = max((p for p in self._points if p.unpacked <= offset), key=lambda p: p.unpacked)
        state = zlib.decompressobj(-zlib.MAX_WBITS) if point.state is None else point.state.copy()
        self._at = _Point(point.unpacked, point.taken, state)
        self._pending = b""

    def _take(self) -> bytes:
        """The next bytes, at least one."""
        piece, self._pending = self._pending, b""
        taken = self._at.taken
        while not piece:
            piece, taken = self._unpack(taken)
        self._at = _Point(self._at.unpacked + len(piece), taken, self._at.state)
        self._add_to_sum(self._at.unpacked - self._checked, piece)
        if self._at.unpacked - self._points[-1].unpacked >= RESTART_BYTES:
            self._points.append(_Point(self._at.unpacked, taken, self._at.state.copy()))
        return piece

    def _unpack(self, taken: int) -> tuple[bytes, int]:
        """Some bytes, perhaps none, and how many packed ones have been taken."""
        state = self._at.state
        packed = state.unconsumed_tail
        if not packed:
            count = min(PIECE, self._record.packed - taken)
            if count == 0 or state.eof:
                raise self._damage()
            raw = bytearray(count)
            super()._fill(memoryview(raw), taken)
            packed, taken = bytes(raw), taken + count
        try:
            return state.decompress(packed, PIECE), taken
        except zlib.error:
            raise self._damage() from None

    def _add_to_sum(self, new: int, piece: bytes) -> None:
        """Carry the checksum on by the ``new`` last bytes, never unpacked before."""
        if new <= 0:
            return
        self._crc = zlib.crc32(piece[-new:], self._crc)
        self._checked += new
        if self._checked < self.size:
            return
        if self._checked > self.size or self._crc != self._record.crc or self._goes_on():
            raise self._damage()

    def _goes_on(self) -> bool:
        """Whether more is packed than the record says, where all of that has been unpacked."""
        if self._at.state.eof:
            return False
        state = self._at.state.copy()
        rest = bytearray(min(PIECE, self._record.packed - self._at.taken))
        super()._fill(memoryview(rest), self._at.taken)
        try:
            more = state.decompress(state.unconsumed_tail + bytes(rest), 1)
        except zlib.error:
            return True
        return bool(more) or not state.eof

    def _damage(self) -> InvalidWeights:
        return InvalidWeights(f"{quote(self._record.name)} cannot be unpacked: it is damaged.")
