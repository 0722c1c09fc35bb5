"""NumPy archives (.npz): a ZIP file of arrays, stored as they are or deflated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.errors import InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.deflated import Inflater
from model_heritage_backend.weights.file_tensors import (
    ContiguousTensor,
    FileWeights,
    StridedTensor,
    Window,
    check_range,
)
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import check_name, quote
from model_heritage_backend.weights.npy_header import ArrayHeader, measure_header, parse_header
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.tensors import LazyTensor
from model_heritage_backend.weights.zip_directory import (
    LOCAL,
    Record,
    locate_records,
    read_directory,
)

ENDING = ".npy"
FIRST_BYTES = 12
ALWAYS_UNPACKED = 1 << 24
"""Bytes that small archives may hold, however well they are packed."""
DENSEST = 1100
"""Deflate packs 1,032 bytes into one at most."""
FORTRAN_BYTES = 1 << 25
"""A deflated array in Fortran order has to be unpacked whole: it may have this many bytes."""


def is_npz(head: bytes) -> bool:
    """Whether a file begins with the ZIP record of an array."""
    if not head.startswith(b"PK\3\4") or len(head) < LOCAL.size:
        return False
    length = LOCAL.unpack_from(head)[9]
    return head[LOCAL.size : LOCAL.size + length].endswith(ENDING.encode())


def open_npz(file: OpenFile, limits: Limits) -> FileWeights:
    """Check the directory and the header of every array; no values are read.

    Deflated arrays are unpacked as they are read, forwards; their checksums are checked when their
    last value is read.

    Raises
    ------
    UnsupportedFormat
        For arrays that hold no numbers, and large deflated ones in Fortran order.
    InvalidWeights
        When the archive or an array's header is damaged, contradicts itself or exceeds a limit.
    """
    entries = read_directory(file, limits)
    records = locate_records(file, entries, limits, deflated=True)
    if len(records) > limits.tensors:
        raise InvalidWeights(f"The file holds more than {limits.tensors:,} tensors.")
    _check_sizes(list(records.values()), file.size, limits)
    inflater, window = Inflater(file), Window()
    tensors: dict[str, LazyTensor] = {}
    for record in records.values():
        if not record.name.endswith(ENDING):
            raise InvalidWeights(f"This NumPy archive holds {quote(record.name)}, no array.")
        name = check_name(record.name.removesuffix(ENDING), limits)
        tensors[name] = _bind(file, name, record, inflater, window, limits)
    return FileWeights(file, tensors, format="npz", metadata={})


def _check_sizes(records: list[Record], file_size: int, limits: Limits) -> None:
    packed = [record for record in records if record.deflated]
    total = sum(record.size for record in packed)
    if total > max(limits.unpacked * file_size, ALWAYS_UNPACKED):
        raise InvalidWeights(
            f"The arrays claim {total:,} bytes when unpacked, far more than the file's "
            f"{file_size:,}."
        )
    for record in packed:
        if record.size > DENSEST * record.packed:
            raise InvalidWeights(f"{quote(record.name)} claims more than it can be packed from.")


def _bind(
    file: OpenFile,
    name: str,
    record: Record,
    inflater: Inflater,
    window: Window,
    limits: Limits,
) -> LazyTensor:
    """Check an array's header against its record."""

    def read(count: int) -> bytes:
        if count > record.size:
            raise InvalidWeights(f"The header of array {quote(name)} is cut off.")
        if record.deflated:
            return inflater.read(record, 0, count)
        return file.read_bytes(record.offset, count)

    header = parse_header(read(measure_header(read(FIRST_BYTES), name)), name, limits)
    values = record.size - header.start
    if _count_bytes(header) != values:
        raise InvalidWeights(f"The values of array {quote(name)} have another size than it says.")
    place = record.offset + header.start
    tensor: LazyTensor
    if record.deflated and header.fortran:
        if values > FORTRAN_BYTES:
            raise UnsupportedFormat(
                f"Array {quote(name)} is compressed and in Fortran order, which can be read up to "
                f"{FORTRAN_BYTES:,} bytes. Save it by numpy.savez or in C order."
            )
        tensor = DeflatedFortranTensor(inflater, name, header, record, window)
    elif record.deflated:
        tensor = DeflatedTensor(inflater, name, header, record)
    elif header.fortran:
        steps = _list_strides(header)
        tensor = StridedTensor(file, name, header.shape, header.dtype, place, steps, window)
    else:
        tensor = ContiguousTensor(file, name, header.shape, header.dtype, place)
    return SwappedTensor(tensor) if header.swapped else tensor


def _count_bytes(header: ArrayHeader) -> int:
    count = header.dtype.itemsize
    for dimension in header.shape:
        count *= dimension
    return count


def _list_strides(header: ArrayHeader) -> tuple[int, ...]:
    """Strides in values, the first dimension fastest; the parts of a complex value lie together."""
    outer = header.shape[:-1] if header.parts > 1 else header.shape
    strides, step = [], header.parts
    for dimension in outer:
        strides.append(step)
        step *= dimension
    return (*strides, 1) if header.parts > 1 else tuple(strides)


class DeflatedTensor(LazyTensor):
    """An array in C order within a deflated record."""

    def __init__(self, inflater: Inflater, name: str, header: ArrayHeader, record: Record) -> None:
        super().__init__(name, header.shape, header.dtype)
        self._inflater = inflater
        self._record = record
        self._start = header.start

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        check_range(self, start, stop)
        item = self.dtype.itemsize
        data = self._inflater.read(self._record, self._start + start * item, (stop - start) * item)
        return np.frombuffer(data, self.dtype.storage)


class DeflatedFortranTensor(LazyTensor):
    """An array in Fortran order within a deflated record: unpacked whole, one at a time."""

    def __init__(
        self, inflater: Inflater, name: str, header: ArrayHeader, record: Record, window: Window
    ) -> None:
        super().__init__(name, header.shape, header.dtype)
        self._inflater = inflater
        self._record = record
        self._header = header
        self._window = window

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        check_range(self, start, stop)
        if not self._window.holds(self, start, stop):
            self._window.owner = None
            self._window.values = self._unpack()
            self._window.values.flags.writeable = False
            self._window.start = 0
            self._window.owner = self
        return self._window.values[start:stop]

    def _unpack(self) -> NDArray[np.generic]:
        size = self.size * self.dtype.itemsize
        data = self._inflater.read(self._record, self._header.start, size)
        flat = np.frombuffer(data, self.dtype.storage)
        steps = tuple(step * self.dtype.itemsize for step in _list_strides(self._header))
        return np.lib.stride_tricks.as_strided(flat, self.shape, steps).flatten()


class SwappedTensor(LazyTensor):
    """The values of a tensor that is stored big-endian."""

    def __init__(self, stored: LazyTensor) -> None:
        super().__init__(stored.name, stored.shape, stored.dtype)
        self._stored = stored

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        values = self._stored.read_raw(start, stop).byteswap()
        values.flags.writeable = False
        return values
