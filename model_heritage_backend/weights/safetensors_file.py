"""Files in the safetensors format: header length (8 bytes, little-endian), JSON header, data."""

from __future__ import annotations

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.file_tensors import ContiguousTensor, FileWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import check_name
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.safetensors_header import parse_header
from model_heritage_backend.weights.tensors import LazyTensor
from model_heritage_backend.weights.tied_names import choose_name, read_removed_names

LENGTH_BYTES = 8


def open_safetensors(file: OpenFile, limits: Limits) -> FileWeights:
    """Check the header completely and describe the tensors; no values are read.

    Raises
    ------
    InvalidWeights
        When the file breaks any rule of the format, or holds no floating point values.
    """
    length = int.from_bytes(file.read_bytes(0, LENGTH_BYTES), "little")
    if length > limits.header_bytes:
        raise InvalidWeights(
            f"The safetensors header claims {length:,} bytes; {limits.header_bytes:,} are allowed."
        )
    start = LENGTH_BYTES + length
    if start > file.size:
        raise InvalidWeights("The safetensors file is cut off within its header.")
    data = file.read_bytes(LENGTH_BYTES, length)
    header = parse_header(data, data_bytes=file.size - start, limits=limits)
    removed = read_removed_names(header.metadata, {entry.name: entry for entry in header.tensors})
    tensors: dict[str, LazyTensor] = {}
    tied: dict[str, str] = {}
    for entry in header.tensors:
        names = [entry.name, *(check_name(name, limits) for name in removed.get(entry.name, ()))]
        chosen = choose_name(names)
        tied |= {name: chosen for name in names if name != chosen}
        tensors[chosen] = ContiguousTensor(
            file, chosen, entry.shape, entry.dtype, start + entry.begin
        )
    return FileWeights(file, tensors, format="safetensors", metadata=header.metadata, tied=tied)
