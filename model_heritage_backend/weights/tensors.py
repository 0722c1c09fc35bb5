"""What a checkpoint's tensors look like to the rest of the program: descriptions and lazy reads."""

from __future__ import annotations

import abc
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

FEW = 64
"""Values so few that they are not worth a piece of their own."""


class DType(StrEnum):
    """Storage type of a tensor's values, by the names of the safetensors format."""

    F64 = "F64"
    F32 = "F32"
    F16 = "F16"
    BF16 = "BF16"
    F8_E4M3 = "F8_E4M3"
    F8_E5M2 = "F8_E5M2"
    I64 = "I64"
    I32 = "I32"
    I16 = "I16"
    I8 = "I8"
    U64 = "U64"
    U32 = "U32"
    U16 = "U16"
    U8 = "U8"
    BOOL = "BOOL"

    @property
    def itemsize(self) -> int:
        """Bytes per value."""
        return STORAGE[self].itemsize

    @property
    def storage(self) -> np.dtype[np.generic]:
        """Little-endian numpy type of the raw values: bf16 as uint16, fp8 and bool as uint8."""
        return STORAGE[self]

    @property
    def is_floating(self) -> bool:
        return self in FLOATING


FLOATING = frozenset({DType.F64, DType.F32, DType.F16, DType.BF16, DType.F8_E4M3, DType.F8_E5M2})
STORAGE: dict[DType, np.dtype[np.generic]] = {
    DType.F64: np.dtype("<f8"),
    DType.F32: np.dtype("<f4"),
    DType.F16: np.dtype("<f2"),
    DType.BF16: np.dtype("<u2"),
    DType.F8_E4M3: np.dtype("u1"),
    DType.F8_E5M2: np.dtype("u1"),
    DType.I64: np.dtype("<i8"),
    DType.I32: np.dtype("<i4"),
    DType.I16: np.dtype("<i2"),
    DType.I8: np.dtype("i1"),
    DType.U64: np.dtype("<u8"),
    DType.U32: np.dtype("<u4"),
    DType.U16: np.dtype("<u2"),
    DType.U8: np.dtype("u1"),
    DType.BOOL: np.dtype("u1"),
}


@dataclass(frozen=True, kw_only=True)
class Quantisation:
    """How values were rounded to few bits: ``name`` as the format has it, ``block`` values share a
    scale or a set of scales.
    """

    name: str
    bits: int
    block: int


class LazyTensor(abc.ABC):
    """One tensor of a checkpoint: its description at once, its values piece by piece.

    A tensor is seen as a matrix of ``row_count`` rows (the first dimension) by ``row_size`` values
    (all others flattened); a scalar is 1 x 1, an empty tensor has no values.

    ``quantisation`` is set where values are unpacked from blocks of few bits; ``dtype`` is then the
    type that they are unpacked to.
    """

    quantisation: Quantisation | None = None

    def __init__(self, name: str, shape: tuple[int, ...], dtype: DType) -> None:
        self.name = name
        self.shape = shape
        self.dtype = dtype

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def row_count(self) -> int:
        return self.shape[0] if self.shape else 1

    @property
    def row_size(self) -> int:
        return math.prod(self.shape[1:]) if self.shape else 1

    @abc.abstractmethod
    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        """Values ``start:stop`` of the flattened (C order) tensor, in ``dtype.storage``.

        Read-only; valid until this thread's next read but one of any tensor of the same file. Two
        threads may read two tensors at once, but not one.

        Raises
        ------
        InvalidWeights
            When the file no longer holds these bytes.
        """

    def read_cells(self, start: int, stop: int) -> NDArray[np.float32]:
        """Smallest and largest number that each of the values ``start:stop`` of a quantised tensor
        may have been rounded from, shape (2, stop - start); NaN where nothing can be said.

        Infinite for the outermost codes, as they also stand for all that lies beyond.
        """
        raise NotImplementedError(f"{self.name} is not quantised")

    def iterate_raw(self, values: int) -> Iterator[tuple[int, NDArray[np.generic]]]:
        """(start, raw values) pieces of ``values`` values, in order, the last one of up to ``FEW``
        more: it never has fewer than these where it is not the only one."""
        last = max(self.size - FEW, 0) // values * values
        for start in range(0, last, values):
            yield start, self.read_raw(start, start + values)
        if self.size:
            yield last, self.read_raw(last, self.size)

    def read_rows(self, start: int, stop: int) -> NDArray[np.floating]:
        """Rows ``start:stop`` decoded to float32 (float64 for F64, I64, I32, U64, U32).

        Shape (stop - start, row_size); the caller owns the array.
        """
        raw = self.read_raw(start * self.row_size, stop * self.row_size)
        return decode(raw, self.dtype).reshape(stop - start, self.row_size)

    def gather_rows(self, rows: Sequence[int]) -> NDArray[np.floating]:
        """Rows at one place or more, decoded likewise, (len(rows), row_size)."""
        return np.concatenate([self.read_rows(row, row + 1) for row in rows])


class Weights(Mapping[str, LazyTensor]):
    """A checkpoint's tensors by name, in file order; a context manager that closes the file.

    ``format`` is the format's short name ("safetensors", "torch-zip", ...).
    ``metadata`` holds strings the file claims about itself: shown, never believed.
    ``tied`` maps names that are not listed, as they repeat another tensor, to the name of that one.
    ``uncompared`` names tensors that are left out, as their values are packed in an unknown way.
    """

    format: str
    metadata: Mapping[str, str]
    tied: Mapping[str, str] = MappingProxyType({})
    uncompared: tuple[str, ...] = ()

    _tensors: Mapping[str, LazyTensor]

    def __getitem__(self, name: str) -> LazyTensor:
        return self._tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    @abc.abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def decode(raw: NDArray[np.generic], dtype: DType) -> NDArray[np.floating]:
    """Numbers of raw storage values: float32 where that is exact for every value, else float64.

    Parameters
    ----------
    raw : array of ``dtype.storage``
    dtype : DType
        F64, I64, I32, U64 and U32 decode to float64, all others to float32.

    Returns
    -------
    A new array of the same shape.
    """
    if dtype is DType.BF16:
        return (raw.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if dtype in FLOAT8_VALUES:
        return FLOAT8_VALUES[dtype][raw.astype(np.intp)]
    if dtype is DType.BOOL:
        raw = raw != np.uint8(0)
    values: NDArray[np.floating] = raw.astype(np.float64 if dtype in DOUBLE else np.float32)
    return values


ROUNDOFF = {
    DType.BF16: 2.0**-9,
    DType.F16: 2.0**-12,
    DType.F8_E4M3: 2.0**-5,
    DType.F8_E5M2: 2.0**-4,
}
"""Unit roundoff of the floating point types that are less precise than float32 (2^-24)."""
FLOAT32_ROUNDOFF = 2.0**-24
DOUBLE = frozenset({DType.F64, DType.I64, DType.I32, DType.U64, DType.U32})


def _float8_values(exponent_bits: int, *, has_infinity: bool) -> NDArray[np.float32]:
    """The 256 values of an 8-bit float (OCP 8-bit floating point specification, section 5)."""
    mantissa_bits = 7 - exponent_bits
    bias = 2 ** (exponent_bits - 1) - 1
    values = np.empty(256, np.float32)
    for code in range(256):
        sign = -1.0 if code & 0x80 else 1.0
        exponent = (code >> mantissa_bits) & (2**exponent_bits - 1)
        mantissa = code & (2**mantissa_bits - 1)
        top = exponent == 2**exponent_bits - 1
        if has_infinity and top:
            values[code] = sign * math.inf if mantissa == 0 else math.nan
        elif top and mantissa == 2**mantissa_bits - 1:
            values[code] = math.nan
        elif exponent == 0:
            values[code] = sign * mantissa * 2.0 ** (1 - bias - mantissa_bits)
        else:
            values[code] = sign * (1 + mantissa / 2**mantissa_bits) * 2.0 ** (exponent - bias)
    return values


FLOAT8_VALUES: dict[DType, NDArray[np.float32]] = {
    DType.F8_E4M3: _float8_values(4, has_infinity=False),
    DType.F8_E5M2: _float8_values(5, has_infinity=True),
}
