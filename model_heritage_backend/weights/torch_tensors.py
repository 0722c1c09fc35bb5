"""What a PyTorch file's descriptions of tensors mean over the bytes of its storages."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from model_heritage_backend.errors import InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.file_tensors import (
    ContiguousTensor,
    FileWeights,
    StridedTensor,
    Window,
    calculate_reach,
    can_be_gathered,
    is_contiguous,
)
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.pickled_values import Storage, TensorDescription, TorchType
from model_heritage_backend.weights.tensors import DType, LazyTensor
from model_heritage_backend.weights.tied_names import choose_name

# torch's name -> (stored type, values per value): a complex tensor is read as its real view, with
# a last dimension of two.
STORED_AS: dict[str, tuple[DType, int]] = {
    "float64": (DType.F64, 1),
    "double": (DType.F64, 1),
    "float32": (DType.F32, 1),
    "float": (DType.F32, 1),
    "float16": (DType.F16, 1),
    "half": (DType.F16, 1),
    "bfloat16": (DType.BF16, 1),
    "float8_e4m3fn": (DType.F8_E4M3, 1),
    "float8_e5m2": (DType.F8_E5M2, 1),
    "int64": (DType.I64, 1),
    "long": (DType.I64, 1),
    "int32": (DType.I32, 1),
    "int": (DType.I32, 1),
    "int16": (DType.I16, 1),
    "short": (DType.I16, 1),
    "int8": (DType.I8, 1),
    "uint64": (DType.U64, 1),
    "uint32": (DType.U32, 1),
    "uint16": (DType.U16, 1),
    "uint8": (DType.U8, 1),
    "bool": (DType.BOOL, 1),
    "complex64": (DType.F32, 2),
    "cfloat": (DType.F32, 2),
    "complex128": (DType.F64, 2),
    "cdouble": (DType.F64, 2),
}
UNTYPED = "untyped"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBytes:
    """Where in the file the values of a storage lie."""

    offset: int
    size: int


def bind_tensors(
    file: OpenFile,
    described: Mapping[str, TensorDescription],
    stored: Mapping[str, StoredBytes],
    limits: Limits,
    *,
    format: str,
) -> FileWeights:
    """Lazy tensors for all descriptions; no values are read.

    Parameters
    ----------
    described : by name
    stored : the file's storages by key

    Returns
    -------
    FileWeights
        Of tied tensors, which are the same values under several names, one is listed.

    Raises
    ------
    UnsupportedFormat
        For a tensor of a type that cannot be read.
    InvalidWeights
        When a description does not fit its storage, or all together claim too much.
    """
    window = Window()
    views = [_check_view(name, tensor, stored, limits) for name, tensor in described.items()]
    tied = _find_tied(views)
    tensors = {view.name: view.bind(file, window) for view in views if view.name not in tied}
    total = sum(tensor.nbytes for tensor in tensors.values())
    if total > limits.expansion * file.size:
        raise InvalidWeights(
            f"The tensors claim {total:,} bytes, far more than the file's {file.size:,}."
        )
    # Gathering costs what is passed over: a few sparse views of a large storage would take hours.
    reach = sum(t.reach for t in tensors.values() if isinstance(t, StridedTensor))
    if reach > limits.reach * file.size:
        raise InvalidWeights(
            f"The tensors are spread over {reach:,} bytes, far more than the file's {file.size:,}."
        )
    return FileWeights(file, tensors, format=format, metadata={}, tied=tied)


def find_width(type: TorchType) -> int:
    """Bytes per value that a storage of this type counts.

    Raises
    ------
    UnsupportedFormat
        For a type that cannot be read.
    """
    if type.name == UNTYPED:
        return 1
    if type.name not in STORED_AS:
        raise UnsupportedFormat(f"Values of {type.name} cannot be read yet.")
    dtype, parts = STORED_AS[type.name]
    return dtype.itemsize * parts


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """A tensor's values in the file; ``start`` is a byte, strides count values."""

    name: str
    dtype: DType
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def place(self) -> tuple[object, ...]:
        """What two views of the same values have in common."""
        steps = tuple(s if n > 1 else 0 for n, s in zip(self.shape, self.strides, strict=True))
        return self.start, self.dtype.value, self.shape, steps

    def bind(self, file: OpenFile, window: Window) -> LazyTensor:
        if 0 in self.shape or is_contiguous(self.shape, self.strides):
            return ContiguousTensor(file, self.name, self.shape, self.dtype, self.start)
        return StridedTensor(
            file, self.name, self.shape, self.dtype, self.start, self.strides, window
        )


def _find_tied(views: list[_View]) -> dict[str, str]:
    """Names of the tensors that repeat another, each with the name of that one."""
    tied: dict[str, str] = {}
    # Sorted, not hashed: integers whose hashes are alike could be chosen.
    ordered = sorted((view for view in views if 0 not in view.shape), key=lambda view: view.place)
    for _, group in itertools.groupby(ordered, key=lambda view: view.place):
        names = [view.name for view in group]
        chosen = choose_name(names)
        tied |= {name: chosen for name in names if name != chosen}
    return tied


def _check_view(
    name: str, tensor: TensorDescription, stored: Mapping[str, StoredBytes], limits: Limits
) -> _View:
    """Check the description against the bytes of its storage."""
    if tensor.type.name not in STORED_AS:
        raise UnsupportedFormat(
            f"Tensor {quote(name)} is stored as {tensor.type.name}, which cannot be read yet."
        )
    dtype, parts = STORED_AS[tensor.type.name]
    shape, strides, offset = tensor.shape, tensor.strides, tensor.offset * parts
    if parts > 1:
        shape, strides = (*shape, parts), (*(s * parts for s in strides), 1)
    if len(shape) > limits.dimensions:
        raise InvalidWeights(f"Tensor {quote(name)} has more than {limits.dimensions} dimensions.")
    place = _locate(name, tensor.storage, stored)
    reach = calculate_reach(shape, strides)
    if reach and (offset + reach) * dtype.itemsize > place.size:
        raise InvalidWeights(f"Tensor {quote(name)} reaches beyond its stored values.")
    if not can_be_gathered(shape, strides, dtype):
        raise InvalidWeights(f"The rows of tensor {quote(name)} overlap each other.")
    start = place.offset + offset * dtype.itemsize
    return _View(name=name, dtype=dtype, start=start, shape=shape, strides=strides)


def _locate(name: str, storage: Storage, stored: Mapping[str, StoredBytes]) -> StoredBytes:
    """The bytes of the storage, or of the part of it that a view of a storage is."""
    whole = stored.get(storage.key)
    if whole is None:
        raise InvalidWeights(f"The values of tensor {quote(name)} are missing from the file.")
    width = find_width(storage.type)
    if storage.count * width != whole.size:
        raise InvalidWeights(f"The values of tensor {quote(name)} have another size than it says.")
    if storage.part is None:
        return whole
    first, count = storage.part
    if first + count > storage.count:
        raise InvalidWeights(f"Tensor {quote(name)} reaches beyond its stored values.")
    return StoredBytes(offset=whole.offset + first * width, size=count * width)
