"""Files inside a ZIP file, read as if they lay in the folder: nothing is unpacked to disk."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.zip_directory import DEFLATED, Record

PIECE = 1 << 18
RESTART_BYTES = 1 << 25
"""A packed member's state is kept this often, so that reading backwards unpacks at most so much."""


def open_member(outer: OpenFile, record: Record, limits: Limits) -> OpenFile:
    """One file of an archive, which must stay open as long.

    Raises
    ------
    InvalidWeights
        When it claims to unpack to more than its packed size can hold.
    """
    if record.method != DEFLATED:
        return StoredMember(outer, record.offset, record.size)
    if record.size > limits.deflate_ratio * record.packed:
        raise InvalidWeights(
            f"{quote(record.name)} claims to unpack to {record.size:,} bytes from "
            f"{record.packed:,}, more than weights do."
        )
    return DeflatedMember(outer, record)


class StoredMember(OpenFile):
    """A run of bytes of another open file."""

    def __init__(self, outer: OpenFile, offset: int, size: int) -> None:
        self._outer = outer
        self._offset = offset
        self._buffer = bytearray(0)
        self._open = True
        self.size = size

    def _fill(self, view: memoryview, offset: int) -> None:
        self._outer._fill(view, self._offset + offset)

    def close(self) -> None:
        self._open = False
        self._buffer = bytearray(0)


@dataclass(frozen=True)
class _Point:
    """Where unpacking can begin: bytes unpacked and read so far, and the state between."""

    unpacked: int
    read: int
    state: Any = field(repr=False)


class DeflatedMember(StoredMember):
    """A packed run of bytes, unpacked as it is read; going back restarts at the last kept state."""

    def __init__(self, outer: OpenFile, record: Record) -> None:
        super().__init__(outer, record.offset, record.size)
        self._name = record.name
        self._packed = record.packed
        self._crc, self._wanted_crc, self._checked = 0, record.crc, 0
        self._points = [_Point(0, 0, zlib.decompressobj(-zlib.MAX_WBITS))]
        self._at = self._points[0]
        self._pending = b""
        self._restart(0)

    def _fill(self, view: memoryview, offset: int) -> None:
        if offset < self._at.unpacked:
            self._restart(offset)
        done = 0
        while done < len(view):
            start = self._at.unpacked
            piece = self._unpack()
            skip = max(offset + done - start, 0)
            part = piece[skip : skip + len(view) - done]
            view[done : done + len(part)] = part
            done += len(part)
            if done == len(view) and skip + len(part) < len(piece):
                # The rest of the piece was unpacked for nothing unless it is read next.
                self._pending = piece[skip + len(part) :]
                self._at = _Point(start + skip + len(part), self._at.read, self._at.state)

    def _unpack(self) -> bytes:
        """The next bytes, at least one."""
        if self._pending:
            piece, self._pending = self._pending, b""
            self._at = _Point(self._at.unpacked + len(piece), self._at.read, self._at.state)
            return piece
        state, read = self._at.state, self._at.read
        piece = b""
        while not piece:
            packed = state.unconsumed_tail
            if not packed:
                count = min(PIECE, self._packed - read)
                if count == 0 or state.eof:
                    raise InvalidWeights(f"{quote(self._name)} is damaged: it ends too early.")
                raw = bytearray(count)
                super()._fill(memoryview(raw), read)
                packed, read = bytes(raw), read + count
            try:
                piece = state.decompress(packed, PIECE)
            except zlib.error:
                raise InvalidWeights(f"{quote(self._name)} is damaged.") from None
        self._at = _Point(self._at.unpacked + len(piece), read, state)
        self._check_sum(piece)
        if self._at.unpacked - self._points[-1].unpacked >= RESTART_BYTES:
            self._points.append(_Point(self._at.unpacked, read, state.copy()))
        return piece

    def _check_sum(self, piece: bytes) -> None:
        """Carry the checksum on by what was never unpacked before."""
        new = self._at.unpacked - self._checked
        if new <= 0:
            return
        self._crc = zlib.crc32(piece[-new:], self._crc)
        self._checked += new
        if self._checked > self.size or (
            self._checked == self.size and self._crc != self._wanted_crc
        ):
            raise InvalidWeights(f"{quote(self._name)} is damaged: its checksum is wrong.")

    def _restart(self, offset: int) -> None:
        point = max((p for p in self._points if p.unpacked <= offset), key=lambda p: p.unpacked)
        self._pending = b""
        self._at = _Point(point.unpacked, point.read, point.state.copy())
