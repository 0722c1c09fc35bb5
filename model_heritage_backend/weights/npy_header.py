"""The header of a NumPy array: a strict parser for exactly the literal that numpy writes.

numpy evaluates the header as a Python literal; nothing is evaluated here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from model_heritage_backend.errors import InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.tensors import DType

MAGIC = b"\x93NUMPY"
LENGTH_BYTES = {1: 2, 2: 4, 3: 4}
"""Version -> bytes of the header's length."""
LONGEST = 10_000
"""numpy's own limit."""
LARGEST = 2**63 - 1
# Possessive repeats: nothing is tried twice.
HEADER = re.compile(
    rb"\{ *+'descr' *+: *+'(?P<descr>[^'\\]{1,40}+)' *+, *+"
    rb"'fortran_order' *+: *+(?P<fortran>True|False) *+, *+"
    rb"'shape' *+: *+\((?P<shape>[0-9L, ]*+)\) *+,?+ *+\}[ \n]*+"
)
RECORDS = re.compile(rb"\{ *+'descr' *+: *+[\[(]")
DIMENSIONS = re.compile(rb" *+(?:[0-9]{1,19}L?+ *+, *+)*+(?:[0-9]{1,19}L?+ *+)?+")
DESCR = re.compile(r"([<>|=])([a-zA-Z])([0-9]*)(.*)")

# numpy's letter and size -> (stored type, values per value); a complex value is two.
KINDS: dict[str, tuple[DType, int]] = {
    "f8": (DType.F64, 1), "f4": (DType.F32, 1), "f2": (DType.F16, 1), "c16": (DType.F64, 2),
    "c8": (DType.F32, 2), "i8": (DType.I64, 1), "i4": (DType.I32, 1), "i2": (DType.I16, 1),
    "i1": (DType.I8, 1), "u8": (DType.U64, 1), "u4": (DType.U32, 1), "u2": (DType.U16, 1),
    "u1": (DType.U8, 1), "b1": (DType.BOOL, 1), "V2": (DType.BF16, 1), "f1": (DType.F8_E5M2, 1),
}  # fmt: skip
"""V2 with a byte order is how bfloat16 of the ml_dtypes package (JAX) is saved, f1 its float8_e5m2;
its other small types are all saved as V1 and cannot be told apart."""
UNREADABLE = {
    "O": "Python objects", "U": "texts", "S": "texts", "a": "texts", "M": "dates",
    "m": "durations", "V": "values of a type that numpy does not name", "g": "long doubles",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ArrayHeader:
    """An array that begins ``start`` bytes after the beginning of its record.

    A complex array has ``parts`` of two and a last dimension of two. ``swapped``: values are stored
    big-endian. ``fortran``: the first dimension varies fastest, the parts of a value apart.
    """

    start: int
    shape: tuple[int, ...]
    dtype: DType
    swapped: bool
    fortran: bool
    parts: int


def measure_header(head: bytes, name: str) -> int:
    """Bytes of the whole header, from the array's first 12.

    Raises
    ------
    InvalidWeights
        When this is no array, or of a version that does not exist.
    """
    if not head.startswith(MAGIC) or len(head) < 12:
        raise InvalidWeights(f"{quote(name)} is not a NumPy array.")
    width = LENGTH_BYTES.get(head[6], 0)
    if not width or head[7]:
        raise InvalidWeights(f"{quote(name)} is a NumPy array of an unknown version.")
    length = int.from_bytes(head[8 : 8 + width], "little")
    if length > LONGEST:
        raise _broken(name, f"it has {length:,} bytes; {LONGEST:,} are allowed")
    return 8 + width + length


def parse_header(data: bytes, name: str, limits: Limits) -> ArrayHeader:
    """Read and check a header, magic and all.

    Raises
    ------
    InvalidWeights
        When it is not as numpy writes it.
    UnsupportedFormat
        For arrays of objects, records, texts, dates and the like.
    """
    literal = data[8 + LENGTH_BYTES[data[6]] :]
    if RECORDS.match(literal):
        raise UnsupportedFormat(f"Array {quote(name)} holds records, which are no weights.")
    match = HEADER.fullmatch(literal)
    if match is None:
        raise _broken(name, "it is not as numpy writes it")
    dtype, parts, big_endian = _read_type(match["descr"].decode("latin-1"), name)
    shape = _read_shape(match["shape"], name, limits)
    return ArrayHeader(
        start=len(data),
        shape=(*shape, parts) if parts > 1 else shape,
        dtype=dtype,
        swapped=big_endian,
        fortran=match["fortran"] == b"True" and sum(n != 1 for n in shape) > 1,
        parts=parts,
    )


def _read_type(descr: str, name: str) -> tuple[DType, int, bool]:
    match = DESCR.fullmatch(descr)
    if match is None:
        raise _broken(name, f"it has the unknown type {quote(descr)}")
    order, letter, size, rest = match.groups()
    known = KINDS.get(letter + size)
    if known is not None and not rest and (letter != "V" or order in "<>"):
        return *known, order == ">" and known[0].itemsize > 1
    if letter in UNREADABLE:
        raise UnsupportedFormat(
            f"Array {quote(name)} holds {UNREADABLE[letter]} ({quote(descr)}), "
            "which cannot be read as weights."
        )
    raise UnsupportedFormat(f"Array {quote(name)} is of type {quote(descr)}, which cannot be read.")


def _read_shape(text: bytes, name: str, limits: Limits) -> tuple[int, ...]:
    if DIMENSIONS.fullmatch(text) is None:
        raise _broken(name, "its shape is not as numpy writes it")
    shape = tuple(int(part.strip(b" L")) for part in text.split(b",") if part.strip())
    if len(shape) > limits.dimensions:
        raise _broken(name, f"it has more than {limits.dimensions} dimensions")
    if any(n > LARGEST for n in shape):
        raise _broken(name, "it has a dimension beyond 2^63")
    if len(shape) == 1 and not text.rstrip().endswith(b","):
        raise _broken(name, "its shape is not as numpy writes it")
    return shape


def _broken(name: str, reason: str) -> InvalidWeights:
    return InvalidWeights(f"The header of array {quote(name)} is not valid: {reason}.")
