"""Deflated records of a ZIP file, read as if they were not: forwards, with little memory."""

from __future__ import annotations

import zlib

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.zip_directory import Record

PACKED_BYTES = 1 << 16
"""Read from the file at once."""
SKIPPED_BYTES = 1 << 18
"""Unpacked at once where values are passed over."""


class Inflater:
    """Unpacks one record at a time. What lies behind costs a new start from the record's beginning,
    so read forwards.
    """

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._record: Record | None = None

    def read(self, record: Record, offset: int, count: int) -> bytes:
        """``count`` bytes of the unpacked record from ``offset`` on.

        Raises
        ------
        InvalidWeights
            When the record is damaged, or has another length or checksum than it says. The latter
            is known once its last byte was read.
        """
        if self._record is not record or offset < self._at:
            self._begin(record)
        while self._at < offset:
            self._inflate(min(offset - self._at, SKIPPED_BYTES))
        parts = []
        while count > 0:
            parts.append(self._inflate(count))
            count -= len(parts[-1])
        if self._at == record.size:
            self._finish()
        return b"".join(parts)

    def _begin(self, record: Record) -> None:
        self._record = record
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._packed = b""
        self._taken = self._at = self._crc = 0

    def _inflate(self, most: int) -> bytes:
        """At least one byte and at most ``most``."""
        record = self._record
        assert record is not None
        while True:
            if not self._packed and not self._stream.eof:
                size = min(PACKED_BYTES, record.packed - self._taken)
                self._packed = self._file.read_bytes(record.offset + self._taken, size)
                self._taken += size
            try:
                data = self._stream.decompress(self._packed, most)
            except zlib.error:
                raise _damaged(record) from None
            self._packed = self._stream.unconsumed_tail
            if data:
                self._at += len(data)
                self._crc = zlib.crc32(data, self._crc)
                return data
            if self._stream.eof or (not self._packed and self._taken == record.packed):
                raise _damaged(record)

    def _finish(self) -> None:
        """Check what only the end can tell: that there is no more, and the checksum."""
        record = self._record
        assert record is not None
        size = min(PACKED_BYTES, record.packed - self._taken)
        rest = self._packed + self._file.read_bytes(record.offset + self._taken, size)
        try:
            more = b"" if self._stream.eof else self._stream.decompress(rest, 1)
        except zlib.error:
            raise _damaged(record) from None
        if more or not self._stream.eof or self._crc != record.crc:
            raise _damaged(record)


def _damaged(record: Record) -> InvalidWeights:
    return InvalidWeights(f"{quote(record.name)} cannot be unpacked: the file is damaged.")
