"""NumPy archives (.npz): a ZIP file of arrays, stored as they are or deflated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.errors import InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.file_tensors import (
    ContiguousTensor,
    FileWeights,
    StridedTensor,
    Window,
)
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.members import Archive, check_unpacked
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
FORTRAN_BYTES = 1 << 25
"""A deflated array in Fortran order is unpacked once per window: it may have this many bytes."""


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
    check_unpacked(records.values(), file.size, limits)
    archive, window = Archive(file), Window()
    tensors: dict[str, LazyTensor] = {}
    for record in records.values():
        if not record.name.endswith(ENDING):
            raise InvalidWeights(f"This NumPy archive holds {quote(record.name)}, no array.")
        name = check_name(record.name.removesuffix(ENDING), limits)
        tensors[name] = _bind(archive, name, record, window, limits)
    return FileWeights(file, tensors, format="npz", metadata={})


def _bind(
    archive: Archive, name: str, record: Record, window: Window, limits: Limits
) -> LazyTensor:
    """Check an array's header against its record."""
    member = archive.open_member(record)

    def read(count: int) -> bytes:
        if count > record.size:
            raise InvalidWeights(f"The header of array {quote(name)} is cut off.")
        return member.read_bytes(0, count)

    header = parse_header(read(measure_header(read(FIRST_BYTES), name)), name, limits)
    values = record.size - header.start
    if _count_bytes(header) != values:
        raise InvalidWeights(f"The values of array {quote(name)} have another size than it says.")
    if record.deflated and header.fortran and values > FORTRAN_BYTES:
        raise UnsupportedFormat(
            f"Array {quote(name)} is compressed and in Fortran order, which can be read up to "
            f"{FORTRAN_BYTES:,} bytes. Save it by numpy.savez or in C order."
        )
    place = member, name, header.shape, header.dtype, header.start
    tensor: LazyTensor
    if header.fortran:
        tensor = StridedTensor(*place, _list_strides(header), window)
    else:
        tensor = ContiguousTensor(*place)
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


class SwappedTensor(LazyTensor):
    """The values of a tensor that is stored big-endian."""

    def __init__(self, stored: LazyTensor) -> None:
        super().__init__(stored.name, stored.shape, stored.dtype)
        self._stored = stored

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        values = self._stored.read_raw(start, stop).byteswap()
        values.flags.writeable = False
        return values
