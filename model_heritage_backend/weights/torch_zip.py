"""Files that torch.save writes since PyTorch 1.6: a ZIP file with a description and raw values."""

from __future__ import annotations

from collections.abc import Mapping

from model_heritage_backend.errors import InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.file_tensors import (
    ContiguousTensor,
    FileWeights,
    StridedTensor,
    Window,
    is_contiguous,
)
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.pickled_values import TensorDescription
from model_heritage_backend.weights.state_dict import find_state_dict
from model_heritage_backend.weights.tensors import DType, LazyTensor
from model_heritage_backend.weights.unpickler import read_pickle
from model_heritage_backend.weights.zip_directory import Record, locate_records, read_directory

DESCRIPTION = "data.pkl"

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


def open_torch_zip(file: OpenFile, limits: Limits) -> FileWeights:
    """Describe the tensors of the file's state dict; nothing in the file runs, no values are read.

    Raises
    ------
    UnsupportedFormat
        When the ZIP file is not one that torch.save wrote, or is big-endian.
    InvalidWeights
        When it is damaged, contradicts itself, exceeds a limit or holds more than weights.
    """
    entries = read_directory(file, limits)
    root = _find_root(list(entries))
    records = locate_records(file, entries, limits)
    order = records.get(root + "byteorder")
    if order is not None and file.read_bytes(order.offset, min(order.size, 8)) != b"little":
        raise UnsupportedFormat("This PyTorch file was written on a big-endian machine.")
    description = records[root + DESCRIPTION]
    if description.size > limits.pickle_bytes:
        raise InvalidWeights(
            f"The description of the weights in this file has {description.size:,} bytes; "
            f"{limits.pickle_bytes:,} are allowed."
        )
    content = read_pickle(file.read_bytes(description.offset, description.size), limits)
    window = Window()
    tensors = {
        name: _bind(file, name, tensor, records, root, limits, window)
        for name, tensor in find_state_dict(content, limits).items()
    }
    total = sum(tensor.nbytes for tensor in tensors.values())
    if total > limits.expansion * file.size:
        raise InvalidWeights(
            f"The tensors claim {total:,} bytes, far more than the file's {file.size:,}."
        )
    return FileWeights(file, tensors, format="torch-zip", metadata={})


def _find_root(names: list[str]) -> str:
    """The folder (with its slash) that holds the description."""
    roots = [name.removesuffix(DESCRIPTION) for name in names if name.endswith("/" + DESCRIPTION)]
    if len(roots) == 1:
        root = roots[0]
        if root + "constants.pkl" in names or any(n.startswith(root + "code/") for n in names):
            raise UnsupportedFormat(
                "This is a TorchScript program, which cannot be read. Save the model's "
                "state_dict() instead."
            )
        return root
    raise UnsupportedFormat(
        f"This is {_name_zip(names)}, which cannot be read. Readable are .safetensors files, and "
        ".pt, .pth and .bin files written by PyTorch 1.6 or newer."
    )


def _name_zip(names: list[str]) -> str:
    if "model.weights.h5" in names:
        return "a Keras model"
    if "[Content_Types].xml" in names:
        return "an Office document"
    if "META-INF/MANIFEST.MF" in names:
        return "a Java archive"
    return "a ZIP archive that PyTorch did not write"


def _bind(
    file: OpenFile,
    name: str,
    tensor: TensorDescription,
    records: Mapping[str, Record],
    root: str,
    limits: Limits,
    window: Window,
) -> LazyTensor:
    """Check the description against the record of its storage."""
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
    record = records.get(f"{root}data/{tensor.storage.key}")
    if record is None:
        raise InvalidWeights(f"The values of tensor {quote(name)} are missing from the file.")
    width = _storage_width(tensor, dtype.itemsize * parts)
    if tensor.storage.count * width != record.size:
        raise InvalidWeights(f"The values of tensor {quote(name)} have another size than it says.")
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    if 0 not in shape and (last + 1) * dtype.itemsize > record.size:
        raise InvalidWeights(f"Tensor {quote(name)} reaches beyond its stored values.")
    place = record.offset + offset * dtype.itemsize
    if 0 in shape or is_contiguous(shape, strides):
        return ContiguousTensor(file, name, shape, dtype, place)
    return StridedTensor(file, name, shape, dtype, place, strides, window)


def _storage_width(tensor: TensorDescription, own: int) -> int:
    """Bytes per counted value of the tensor's storage."""
    if tensor.storage.type.name == "untyped":
        return 1
    if tensor.storage.type == tensor.type:
        return own
    if tensor.storage.type.name not in STORED_AS:
        raise UnsupportedFormat(f"Values of {tensor.storage.type.name} cannot be read yet.")
    dtype, parts = STORED_AS[tensor.storage.type.name]
    return dtype.itemsize * parts
