"""The header of a GGUF file: counts, what the file says about itself, and a list of tensors.

Little-endian. Lengths and counts are checked against the file before anything of their size is
made; of what the file says about itself only single numbers and short strings are kept.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from model_heritage_backend.errors import InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.gguf_blocks import BLOCK_KINDS, BlockKind
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import check_name, quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.tensors import DType

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
WINDOW_BYTES = 1 << 16
KEPT_STRING = 4096
"""Longer strings (chat templates, vocabularies) are passed over."""

# Of single values: the type's number in the file -> its form.
SCALARS: dict[int, struct.Struct] = {
    0: struct.Struct("<B"), 1: struct.Struct("<b"), 2: struct.Struct("<H"), 3: struct.Struct("<h"),
    4: struct.Struct("<I"), 5: struct.Struct("<i"), 6: struct.Struct("<f"), 7: struct.Struct("<?"),
    10: struct.Struct("<Q"), 11: struct.Struct("<q"), 12: struct.Struct("<d"),
}  # fmt: skip
STRING, ARRAY = 8, 9
COUNT, KIND = struct.Struct("<Q"), struct.Struct("<I")
START = struct.Struct("<4sIQQ")
TENSOR_BYTES = 8 + 4 + 4 + 8
"""The least that a tensor takes in the header."""
ENTRY_BYTES = 8 + 4 + 1

PLAIN: dict[int, DType] = {
    0: DType.F32, 1: DType.F16, 24: DType.I8, 25: DType.I16, 26: DType.I32, 27: DType.I64,
    28: DType.F64, 30: DType.BF16,
}  # fmt: skip
UNREADABLE: dict[int, str] = {
    4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS",
    19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 31: "Q4_0_4_4",
    32: "Q4_0_4_8", 33: "Q4_0_8_8", 34: "TQ1_0", 35: "TQ2_0", 36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8",
    38: "IQ4_NL_8_8", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0",
}  # fmt: skip

Value = int | float | str


@dataclass(frozen=True, kw_only=True)
class TensorEntry:
    """One tensor: its shape as PyTorch has it (the file lists dimensions in reverse), where in the
    file its bytes lie, and the type or kind of blocks that they have.
    """

    name: str
    shape: tuple[int, ...]
    kind: DType | BlockKind
    begin: int
    nbytes: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """Tensors in header order; the single values that the file says about itself, by key."""

    tensors: tuple[TensorEntry, ...]
    values: Mapping[str, Value]


def read_header(file: OpenFile, limits: Limits) -> Header:
    """Read and check a header.

    Raises
    ------
    InvalidWeights
        When any rule of the format is broken or a limit exceeded; the detail names which.
    UnsupportedFormat
        For big-endian files, other versions, and tensors of kinds that cannot be read.
    """
    cursor = _Cursor(file, limits)
    magic, version, tensors, entries = START.unpack(cursor.take(START.size))
    if magic != MAGIC:
        raise _broken("it does not begin with 'GGUF'")
    _check_version(version)
    if tensors > limits.tensors:
        raise InvalidWeights(f"The file holds more than {limits.tensors:,} tensors.")
    if entries > limits.metadata:
        raise _broken(f"it has more than {limits.metadata:,} entries about itself")
    if tensors * TENSOR_BYTES + entries * ENTRY_BYTES > file.size:
        raise _broken("it announces more than the file can hold")
    values = _read_values(cursor, entries, limits)
    described = [_read_tensor(cursor, limits) for _ in range(tensors)]
    alignment = values.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise _broken("its alignment is not a power of two")
    return Header(tensors=_place_tensors(described, cursor.at, alignment, file.size), values=values)


def _check_version(version: int) -> None:
    if version in VERSIONS:
        return
    if version & 0xFFFF == 0 and version:
        raise UnsupportedFormat("This GGUF file was written for big-endian machines.")
    raise UnsupportedFormat(
        f"This is a GGUF file of version {version}; versions 2 and 3 can be read."
    )


class _Cursor:
    """Reads on through the header by small steps, from a window of the file."""

    def __init__(self, file: OpenFile, limits: Limits) -> None:
        self.at = 0
        self._file = file
        self._longest = limits.header_bytes
        self._strings = limits.listed_strings
        self._base = 0
        self._window = b""

    def _require(self, count: int) -> None:
        if self.at + count > self._file.size:
            raise InvalidWeights("The GGUF file is cut off within its header.")
        if self.at + count > self._longest:
            raise _broken(f"it is longer than {self._longest:,} bytes")

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, which the caller has found to be few."""
        start = self.at - self._base
        if start + count > len(self._window):
            self._move(count)
            start = 0
        self.at += count
        return self._window[start : start + count]

    def _move(self, count: int) -> None:
        """Let the window begin here, with ``count`` bytes at least."""
        self._require(count)
        size = min(max(count, WINDOW_BYTES), self._file.size - self.at)
        self._window, self._base = self._file.read_bytes(self.at, size), self.at

    def skip(self, count: int) -> None:
        self._require(count)
        self.at += count

    def number(self, form: struct.Struct) -> int | float | bool:
        value: int | float | bool = form.unpack(self.take(form.size))[0]
        return value

    def count(self) -> int:
        return int(self.number(COUNT))

    def string(self, longest: int, what: str) -> str:
        length = self.count()
        if length > longest:
            raise _broken(f"{what} is longer than {longest:,} bytes")
        try:
            return self.take(length).decode()
        except UnicodeDecodeError:
            raise _broken(f"{what} is not valid UTF-8") from None

    def skip_strings(self, count: int) -> None:
        if count > self._strings:
            raise _broken("its lists hold too many strings")
        self._strings -= count
        self._require(count * COUNT.size)
        for _ in range(count):  # Vocabularies are long: no calls while the window lasts.
            start = self.at - self._base
            if start + COUNT.size > len(self._window):
                self._move(COUNT.size)
                start = 0
            length = self._window[start : start + COUNT.size]
            self.at += COUNT.size + int.from_bytes(length, "little")
        self._require(0)


def _read_values(cursor: _Cursor, entries: int, limits: Limits) -> dict[str, Value]:
    values: dict[str, Value] = {}
    seen: set[str] = set()
    for _ in range(entries):
        key = check_name(cursor.string(limits.name_length, "a key"), limits)
        if key in seen:
            raise _broken(f"it names {quote(key)} twice")
        seen.add(key)
        kind = int(cursor.number(KIND))
        if kind in SCALARS:
            values[key] = cursor.number(SCALARS[kind])
        elif kind == ARRAY:
            _skip_list(cursor, key)
        elif kind == STRING:
            value = _read_string(cursor, key)
            if value is not None:
                values[key] = value
        else:
            raise _broken(f"{quote(key)} has the unknown type {kind}")
    return values


def _read_string(cursor: _Cursor, key: str) -> str | None:
    """A short string; None for a long one, or one that is no text."""
    length = cursor.count()
    if length > KEPT_STRING:
        cursor.skip(length)
        return None
    try:
        return cursor.take(length).decode()
    except UnicodeDecodeError:
        raise _broken(f"the value of {quote(key)} is not valid UTF-8") from None


def _skip_list(cursor: _Cursor, key: str) -> None:
    kind, count = int(cursor.number(KIND)), cursor.count()
    if kind in SCALARS:
        cursor.skip(count * SCALARS[kind].size)
    elif kind == STRING:
        cursor.skip_strings(count)
    elif kind == ARRAY:
        raise _broken(f"{quote(key)} holds lists within a list")
    else:
        raise _broken(f"{quote(key)} has the unknown type {kind}")


@dataclass(frozen=True)
class _Described:
    """A tensor before its place in the file is known: ``offset`` counts from the data's start."""

    name: str
    shape: tuple[int, ...]
    kind: DType | BlockKind
    offset: int
    nbytes: int


def _read_tensor(cursor: _Cursor, limits: Limits) -> _Described:
    name = check_name(cursor.string(limits.name_length, "a tensor's name"), limits)
    dimensions = int(cursor.number(KIND))
    if dimensions > limits.dimensions:
        raise _broken(f"tensor {quote(name)} has more than {limits.dimensions} dimensions")
    shape = tuple(cursor.count() for _ in range(dimensions))[::-1]
    number, offset = int(cursor.number(KIND)), cursor.count()
    if number in UNREADABLE:
        raise UnsupportedFormat(
            f"Tensor {quote(name)} is stored as {UNREADABLE[number]}, which cannot be read yet."
        )
    size = math.prod(shape)
    if number in PLAIN:
        dtype = PLAIN[number]
        return _Described(name, shape, dtype, offset, size * dtype.itemsize)
    if number not in BLOCK_KINDS:
        raise _broken(f"tensor {quote(name)} has the unknown type {number}")
    kind = BLOCK_KINDS[number]
    if not shape or shape[-1] % kind.block:
        raise _broken(
            f"the rows of tensor {quote(name)} are not made of blocks of {kind.block} values"
        )
    return _Described(name, shape, kind, offset, size // kind.block * kind.nbytes)


def _place_tensors(
    described: list[_Described], header_end: int, alignment: int, file_size: int
) -> tuple[TensorEntry, ...]:
    """Tensors must follow each other, each at the next aligned place."""
    start = -(-header_end // alignment) * alignment
    names: set[str] = set()
    expected = end = 0
    for tensor in sorted(described, key=lambda tensor: (tensor.offset, tensor.nbytes)):
        if tensor.name in names:
            raise _broken(f"it names {quote(tensor.name)} twice")
        names.add(tensor.name)
        if tensor.offset % alignment:
            raise _broken(f"tensor {quote(tensor.name)} does not begin at an aligned place")
        if tensor.offset < expected:
            raise _broken(f"tensor {quote(tensor.name)} overlaps another")
        if tensor.offset > expected:
            raise _broken(f"nothing describes the bytes before tensor {quote(tensor.name)}")
        end = tensor.offset + tensor.nbytes
        expected = -(-end // alignment) * alignment
        if start + end > file_size:
            raise InvalidWeights(
                f"The GGUF file is cut off: tensor {quote(tensor.name)} reaches beyond its end."
            )
    if described and file_size > start + expected:
        raise InvalidWeights(
            f"The GGUF file has {file_size - start - expected:,} bytes after its last tensor."
        )
    return tuple(
        TensorEntry(
            name=t.name, shape=t.shape, kind=t.kind, begin=start + t.offset, nbytes=t.nbytes
        )
        for t in described
    )


def _broken(reason: str) -> InvalidWeights:
    return InvalidWeights(f"The GGUF header is not valid: {reason}.")
