"""The header of a safetensors file: a strict parser for exactly the JSON that the format allows.

A general JSON parser would build whatever the header nests before anything could be checked. This
one knows the three levels of the format, so depth and kinds are bounded by its grammar.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from model_heritage_backend.errors import InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import check_name, quote
from model_heritage_backend.weights.tensors import DType

# Possessive repeats: a hostile header of a hundred megabytes must not fill a backtracking stack.
BLANKS = re.compile(rb"[ \t\n\r]*+")
STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+"')
INTEGER = re.compile(rb"(?:0|[1-9][0-9]*+)(?![0-9.eE])")
NUMBER = rb"(?:0|[1-9][0-9]{0,17}+)"
USUAL = re.compile(
    rb'\{"dtype":"(\w++)","shape":\[((?:%b(?:,%b){0,7})?)\],"data_offsets":\[(%b),(%b)\]\}'
    % ((NUMBER,) * 4)
)
"""A tensor's entry as the format's own library writes it: most files hold nothing else."""
LARGEST = 2**63 - 1
FIELDS = frozenset({"dtype", "shape", "data_offsets"})

# The format's names that have no member of DType: C64 is two F32 (see TensorEntry), the rest wait.
UNREADABLE = frozenset({"F4", "F6_E2M3", "F6_E3M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"})


@dataclass(frozen=True, kw_only=True)
class TensorEntry:
    """One tensor as the header states it, checked by itself; offsets count from the data's start.

    A complex tensor (C64) is described as its real view: F32 with a last dimension of two.
    """

    name: str
    dtype: DType
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """Tensors in header order, and the strings that the file says about itself."""

    tensors: tuple[TensorEntry, ...]
    metadata: dict[str, str]


def parse_header(data: bytes, *, data_bytes: int, limits: Limits) -> Header:
    """Read and check a header.

    Parameters
    ----------
    data : the header's bytes, padding included
    data_bytes : length of the data that follows it in the file
    limits : bounds on tensors, names and dimensions

    Raises
    ------
    InvalidWeights
        When any rule of the format is broken; the detail names the rule and the tensor.
    UnsupportedFormat
        When a tensor has a type of the format that cannot be read yet.
    """
    if not data.startswith(b"{"):
        raise _broken("it does not start with '{'")
    header = _Parser(data, limits).parse()
    _check_layout(header.tensors, data_bytes)
    return header


class _Parser:
    """A cursor over the header's bytes."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._at = 0

    def parse(self) -> Header:
        tensors: list[TensorEntry] = []
        metadata: dict[str, str] = {}

        def note(key: str) -> None:
            if len(metadata) == self._limits.metadata:
                raise _broken(f"__metadata__ has more than {self._limits.metadata:,} entries")
            metadata[key] = self._string()

        def entry(name: str) -> None:
            if name == "__metadata__":
                self._object(note, name)
                return
            if len(tensors) == self._limits.tensors:
                raise InvalidWeights(f"The file holds more than {self._limits.tensors:,} tensors.")
            tensors.append(self._tensor(check_name(name, self._limits)))

        self._object(entry, "the header")
        if self._data[self._at :].strip(b" "):
            raise _broken("something other than blanks follows its JSON")
        return Header(tensors=tuple(tensors), metadata=metadata)

    def _tensor(self, name: str) -> TensorEntry:
        self._blanks()
        usual = USUAL.match(self._data, self._at)
        if usual is None or usual.group(2).count(b",") >= self._limits.dimensions:
            return _check_tensor(name, *self._fields(name))
        self._at = usual.end()
        dtype, shape, begin, end = usual.groups()
        dimensions = [int(number) for number in shape.split(b",")] if shape else []
        return _check_tensor(name, dtype.decode(), dimensions, int(begin), int(end))

    def _fields(self, name: str) -> tuple[str, list[int], int, int]:
        """What a tensor's entry says, written in any way: dtype, shape, begin and end."""
        fields: dict[str, str | list[int]] = {}

        def field(key: str) -> None:
            if key not in FIELDS:
                raise _broken(f"tensor {quote(name)} has an unknown field {quote(key)}")
            fields[key] = self._string() if key == "dtype" else self._integers(name)

        self._object(field, f"tensor {quote(name)}")
        dtype, shape, offsets = (fields.get(key) for key in ("dtype", "shape", "data_offsets"))
        if (
            not isinstance(dtype, str)
            or not isinstance(shape, list)
            or not isinstance(offsets, list)
        ):
            missing = ", ".join(sorted(FIELDS - set(fields)))
            raise _broken(f"tensor {quote(name)} lacks {missing}")
        if len(offsets) != 2:
            raise _broken(f"tensor {quote(name)} has data_offsets that are not begin <= end")
        return dtype, shape, offsets[0], offsets[1]

    def _object(self, member: Callable[[str], None], what: str) -> None:
        """Parse ``{"key": ..., ...}``; ``member(key)`` parses each value."""
        self._expect(b"{", what)
        seen: set[str] = set()
        if self._skip(b"}"):
            return
        while True:
            key = self._string()
            if key in seen:
                raise _broken(f"it names {quote(key)} twice")
            seen.add(key)
            self._expect(b":", what)
            member(key)
            if self._skip(b"}"):
                return
            self._expect(b",", what)

    def _integers(self, name: str) -> list[int]:
        self._expect(b"[", f"tensor {quote(name)}")
        values: list[int] = []
        if self._skip(b"]"):
            return values
        while True:
            values.append(self._integer(name))
            if len(values) > self._limits.dimensions:
                raise _broken(
                    f"tensor {quote(name)} has more than {self._limits.dimensions} dimensions"
                )
            if self._skip(b"]"):
                return values
            self._expect(b",", f"tensor {quote(name)}")

    def _integer(self, name: str) -> int:
        self._blanks()
        match = INTEGER.match(self._data, self._at)
        if match is None:
            raise _broken(f"tensor {quote(name)} has a number that is not a whole number >= 0")
        self._at = match.end()
        text = match.group()
        if len(text) > 19 or int(text) > LARGEST:
            raise _broken(f"tensor {quote(name)} has a number beyond 2^63")
        return int(text)

    def _string(self) -> str:
        self._blanks()
        match = STRING.match(self._data, self._at)
        if match is None:
            raise _broken(f"at byte {self._at} a string was expected")
        self._at = match.end()
        literal = match.group()
        try:
            if b"\\" not in literal:
                return literal[1:-1].decode()
            text: str = json.loads(literal)
            text.encode()  # lone surrogates are no text
        except UnicodeError:
            raise _broken("it is not valid UTF-8") from None
        return text

    def _expect(self, symbol: bytes, what: str) -> None:
        if not self._skip(symbol):
            raise _broken(f"in {what}, '{symbol.decode()}' was expected at byte {self._at}")

    def _skip(self, symbol: bytes) -> bool:
        self._blanks()
        found = self._data.startswith(symbol, self._at)
        self._at += found
        return found

    def _blanks(self) -> None:
        match = BLANKS.match(self._data, self._at)
        if match is not None:
            self._at = match.end()


def _check_tensor(name: str, dtype: str, shape: list[int], begin: int, end: int) -> TensorEntry:
    if begin > end:
        raise _broken(f"tensor {quote(name)} has data_offsets that are not begin <= end")
    if dtype == "C64":
        dtype, shape = "F32", [*shape, 2]
    if dtype in UNREADABLE:
        raise UnsupportedFormat(
            f"Tensor {quote(name)} is stored as {dtype}, which cannot be read yet."
        )
    if dtype not in DType.__members__:
        raise _broken(f"tensor {quote(name)} has the unknown dtype {quote(dtype)}")
    entry = TensorEntry(name=name, dtype=DType(dtype), shape=tuple(shape), begin=begin, end=end)
    size = math.prod(shape) * entry.dtype.itemsize
    if size != entry.end - entry.begin:
        raise _broken(
            f"tensor {quote(name)} has room for {entry.end - entry.begin:,} bytes, but its "
            f"shape and dtype need {size if size <= LARGEST else 'far too many'}"
        )
    return entry


def _check_layout(tensors: tuple[TensorEntry, ...], data_bytes: int) -> None:
    """Tensors must cover the data from its first to its last byte, each byte once."""
    covered = 0
    for entry in sorted(tensors, key=lambda entry: (entry.begin, entry.end)):
        if entry.begin < covered:
            raise _broken(f"tensor {quote(entry.name)} overlaps another")
        if entry.begin > covered:
            raise _broken(f"nothing describes the bytes before tensor {quote(entry.name)}")
        covered = entry.end
    if covered > data_bytes:
        raise InvalidWeights(
            f"The safetensors file is cut off: its tensors need {covered:,} bytes and "
            f"{data_bytes:,} are there."
        )
    if covered < data_bytes:
        raise InvalidWeights(
            f"The safetensors file has {data_bytes - covered:,} bytes after its last tensor."
        )


def _broken(reason: str) -> InvalidWeights:
    return InvalidWeights(f"The safetensors header is not valid: {reason}.")
