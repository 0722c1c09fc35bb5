"""The fingerprint: what is kept of a model's weights after one bounded pass over its file."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.fingerprints.structure import is_matrix
from model_heritage_backend.version import FINGERPRINT_VERSION

VERSION = FINGERPRINT_VERSION
MAGIC = b"MHFP"


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Exact float64 statistics of all finite values of one tensor.

    ``kurtosis`` is excess kurtosis (normal = 0). ``zeros`` is the share of exact zeros, in [0, 1];
    ``nonfinite`` counts NaN and infinities, which enter no other statistic.
    """

    mean: float
    variance: float
    skewness: float
    kurtosis: float
    minimum: float
    maximum: float
    squared_norm: float
    zeros: float
    nonfinite: int


@dataclass(frozen=True, kw_only=True)
class TensorFingerprint:
    """One tensor: shape, digests, exact moments, and a sample of its values.

    Attributes
    ----------
    name : canonical name (leading components that all tensors share are stripped)
    shape, dtype : as stored; dtype by its safetensors name
    byte_digest : xxh3-128 of the stored bytes, hex; None at level "sampled"
    value_digest : xxh3-128 of the values as numbers, hex: survives any lossless change of dtype
    moments : None at level "sampled"
    rows, columns : sampled indices of the tensor seen as (first dimension, rest), ascending
    sample : values at rows x columns, float32 (float64 where the tensor's values need it)
    wide : a larger sample of the same kind, (up to 192, up to 192), of the few matrices chosen for
        it; (0, 0) for all others
    cells : smallest and largest number that each value of the sample may have been rounded from,
        (2, rows, columns), where the file says how it was quantised; else (2, 0, 0). NaN says
        nothing, infinities stand for the ends of a scale
    row_absmax : largest magnitude of each sampled row over all its columns, (len(rows),)
    row_norms : squared norm of every row, (shape[0],); empty for vectors and when sampled
    grid_bits : bits of the quantised values, where the file says so; else of the smallest grid of 2
        to 8 bits that all sampled values lie on; else 0
    grid_per_row : whether that grid has one scale per row
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    byte_digest: str | None
    value_digest: str | None
    moments: Moments | None
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    sample: NDArray[np.floating]
    wide: NDArray[np.floating]
    cells: NDArray[np.float32]
    row_absmax: NDArray[np.float64]
    row_norms: NDArray[np.float64]
    grid_bits: int
    grid_per_row: bool

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_matrix(self) -> bool:
        """Whether it counts as a weight matrix; see ``structure.is_matrix``."""
        return is_matrix(self.shape)


@dataclass(frozen=True, kw_only=True)
class AdaptedMatrix:
    """What an unmerged adapter adds to one matrix, but for a factor that its file does not tell.

    Attributes
    ----------
    name : of the matrix, without the wrappers of training libraries
    shape : of the matrix; two dimensions may also be the other way round in the model
    rank : dimensions in which the factors meet, >= 1
    sample : of the product of the factors, float32, where a tensor of this shape is sampled
    turned : of its transpose, where one of the transposed shape is; (0, 0) where that cannot be
    """

    name: str
    shape: tuple[int, ...]
    rank: int
    sample: NDArray[np.float32]
    turned: NDArray[np.float32]

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """That the matrix may have in the model."""
        return (self.shape, self.shape[::-1]) if self.turned.size else (self.shape,)


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """One model.

    Attributes
    ----------
    checksum : SHA-256 of the file, hex
    level : "full" (every value was read) or "sampled" (only the sample was)
    tensors : by canonical name; floating point tensors and integer tensors alike
    total_parameters : values of all floating point tensors, and of integer weights
    layer_count : number of layers (distinct numbered blocks, else weight matrices)
    structural_hash : SHA-256 (first 32 hex digits) of the sorted (name, shape) of the matrices
    bf16, fp16 : every value of every matrix is exactly representable in that type
    zero_fraction : share of zeros in the matrices, in [0, 1]
    grid_bits : bits of the quantisation of most values, when 90 % are quantised; else 0
    routing : about 1,000 values sampled over the matrices, float32; models of one structural hash
        have the same positions
    quality : notes on odd weights ("nonfinite", "all_zero", "constant", "huge" and "tiny": all
        values of a tensor are, "adapter": factors of a
        change rather than a model, "incomplete_adapter": some have no partner that fits,
        "uncompared": some are packed in an unknown way and left out)
    adapted : of an unmerged adapter, the matrices it changes, by name; empty for models. Its
        ``tensors`` are the factors as stored
    """

    checksum: str
    level: str
    tensors: Mapping[str, TensorFingerprint]
    total_parameters: int
    layer_count: int
    structural_hash: str
    bf16: bool
    fp16: bool
    zero_fraction: float
    grid_bits: int
    routing: NDArray[np.float32]
    quality: tuple[str, ...] = ()
    adapted: Mapping[str, AdaptedMatrix] = field(default_factory=dict)

    @property
    def is_adapter(self) -> bool:
        """Whether this is no model but a change to one."""
        return bool(self.adapted)

    @property
    def is_quantised(self) -> bool:
        """Whether most values lie on a grid, or the file says that some were quantised."""
        return bool(self.grid_bits) or self.is_made_of_blocks

    @cached_property
    def is_made_of_blocks(self) -> bool:
        """Whether the file says how some of its tensors were quantised."""
        return any(tensor.cells.size for tensor in self.tensors.values())

    @cached_property
    def needs_double(self) -> bool:
        """Whether it has values that need double precision."""
        return any(tensor.sample.dtype == np.float64 for tensor in self.tensors.values())

    @property
    def shapes(self) -> frozenset[tuple[int, ...]]:
        """Of the matrices, by which candidates are found; of an adapter those that it changes."""
        if self.is_adapter:
            return frozenset(shape for m in self.adapted.values() for shape in m.shapes)
        return frozenset(t.shape for t in self.tensors.values() if t.is_matrix)

    def to_bytes(self) -> bytes:
        """Serialise: magic, version, header length, JSON header, arrays; little-endian throughout.

        The same fingerprint gives the same bytes on every machine.
        """
        arrays: list[NDArray[Any]] = []
        offset = 0

        def store(array: NDArray[Any]) -> list[Any]:
            nonlocal offset
            data = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            arrays.append(data)
            place = [data.dtype.str, list(data.shape), offset]
            offset += data.nbytes
            return place

        tensors = []
        for tensor in self.tensors.values():
            plain = {k: v for k, v in vars(tensor).items() if not isinstance(v, np.ndarray)}
            plain["moments"] = None if tensor.moments is None else vars(tensor.moments)
            plain["shape"] = list(tensor.shape)
            plain["arrays"] = {
                k: store(v) for k, v in vars(tensor).items() if isinstance(v, np.ndarray)
            }
            tensors.append(plain)
        arrays_apart = ("tensors", "routing", "adapted")
        header = {k: v for k, v in vars(self).items() if k not in arrays_apart}
        header |= {"tensors": tensors, "routing": store(self.routing)}
        header["adapted"] = [
            vars(m) | {"sample": store(m.sample), "turned": store(m.turned)}
            for m in self.adapted.values()
        ]
        text = json.dumps(header, separators=(",", ":"), allow_nan=True).encode()
        prefix = MAGIC + struct.pack("<HQ", VERSION, len(text))
        return b"".join([prefix, text, *(array.tobytes() for array in arrays)])

    @classmethod
    def from_bytes(cls, data: bytes) -> Fingerprint:
        """Read back what ``to_bytes`` wrote.

        Raises
        ------
        InvalidWeights
            When the data is not a fingerprint of this version.
        """
        start = len(MAGIC) + 10
        if data[: len(MAGIC)] != MAGIC or len(data) < start:
            raise InvalidWeights("This is not a fingerprint.")
        version, length = struct.unpack("<HQ", data[len(MAGIC) : start])
        if version != VERSION:
            raise InvalidWeights(f"Fingerprint version {version} is not the known {VERSION}.")
        header = json.loads(data[start : start + length])
        base = start + length

        def load(place: list[Any]) -> NDArray[Any]:
            dtype, shape, offset = place
            count = math.prod(shape)
            return np.frombuffer(data, dtype, count, base + offset).reshape(shape)

        tensors = {}
        for plain in header.pop("tensors"):
            arrays: dict[str, Any] = {k: load(v) for k, v in plain.pop("arrays").items()}
            plain["shape"] = tuple(plain["shape"])
            moments = plain.pop("moments")
            plain["moments"] = None if moments is None else Moments(**moments)
            tensors[plain["name"]] = TensorFingerprint(**plain, **arrays)
        routing = load(header.pop("routing"))
        adapted = {}
        for plain in header.pop("adapted"):
            plain |= {"sample": load(plain["sample"]), "turned": load(plain["turned"])}
            adapted[plain["name"]] = AdaptedMatrix(**plain | {"shape": tuple(plain["shape"])})
        header["quality"] = tuple(header["quality"])
        return cls(**header, tensors=tensors, routing=routing, adapted=adapted)
