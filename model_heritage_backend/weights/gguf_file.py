"""Files in the GGUF format (llama.cpp): plain tensors, and blocks of few bits unpacked as read."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.errors import InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.file_tensors import ContiguousTensor, FileWeights, check_range
from model_heritage_backend.weights.gguf_blocks import BlockKind, Codes
from model_heritage_backend.weights.gguf_header import TensorEntry, Value, read_header
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.paired_rows import PairedRows
from model_heritage_backend.weights.tensors import DType, LazyTensor

CLAIMS = "general."
PAIRED = re.compile(r"blk\.[0-9]+\.attn_([qk])\.(?:weight|bias)")
"""Tensors whose rows the converter of Llama models puts in another order."""
PAIRED_ARCHITECTURES = frozenset({"llama"})
MOST_HEADS = 4096
"""Each half of a head costs a read of its own."""


def open_gguf(file: OpenFile, limits: Limits) -> FileWeights:
    """Check the header completely and describe the tensors; no values are read.

    What the file says about itself under ``general.`` becomes its metadata: claims, not facts.

    Raises
    ------
    InvalidWeights
        When the file breaks any rule of the format, or holds no floating point values.
    UnsupportedFormat
        For big-endian files, parts of a split model, and tensors of kinds that cannot be read.
    """
    header = read_header(file, limits)
    parts = header.values.get("split.count", 1)
    if isinstance(parts, int) and parts > 1:
        raise UnsupportedFormat(
            f"This is one of {parts} parts of a GGUF model. "
            "Join them first: llama-gguf-split --merge."
        )
    tensors = {
        entry.name: _restore_order(_bind(file, entry), header.values) for entry in header.tensors
    }
    claims = {key: str(value) for key, value in header.values.items() if key.startswith(CLAIMS)}
    return FileWeights(file, tensors, format="gguf", metadata=claims)


class BlockTensor(LazyTensor):
    """Values unpacked from blocks that lie from byte ``offset`` of the file on."""

    def __init__(
        self, file: OpenFile, name: str, shape: tuple[int, ...], kind: BlockKind, offset: int
    ) -> None:
        super().__init__(name, shape, DType.F32)
        self.quantisation = kind
        self._kind = kind
        self._file = file
        self._offset = offset

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        check_range(self, start, stop)
        first = start // self._kind.block
        with np.errstate(all="ignore"):
            values = self._unpack(first, stop).calculate_values()
        values.flags.writeable = False
        return values[start - first * self._kind.block : stop - first * self._kind.block]

    def read_cells(self, start: int, stop: int) -> NDArray[np.float32]:
        check_range(self, start, stop)
        first = start // self._kind.block
        with np.errstate(all="ignore"):
            cells = self._unpack(first, stop).calculate_cells(self._kind.low, self._kind.high)
        return cells[:, start - first * self._kind.block : stop - first * self._kind.block]

    def _unpack(self, first: int, stop: int) -> Codes:
        """The blocks from number ``first`` on that hold the values up to ``stop``."""
        kind = self._kind
        count = -(-stop // kind.block) - first
        view = self._file.read_buffer(self._offset + first * kind.nbytes, count * kind.nbytes)
        return kind.unpack(np.frombuffer(view, np.uint8).reshape(count, kind.nbytes))


def _bind(file: OpenFile, entry: TensorEntry) -> LazyTensor:
    if isinstance(entry.kind, DType):
        return ContiguousTensor(file, entry.name, entry.shape, entry.kind, entry.begin)
    return BlockTensor(file, entry.name, entry.shape, entry.kind, entry.begin)


def _restore_order(tensor: LazyTensor, values: Mapping[str, Value]) -> LazyTensor:
    """The rows of a Llama model's queries and keys in the order that its source has.

    llama.cpp rotates neighbouring rows of a head, Hugging Face's Llama rows that are half a head
    apart, so the converter moves rows; heads stay where they are.
    """
    architecture = values.get("general.architecture")
    match = PAIRED.fullmatch(tensor.name)
    if match is None or architecture not in PAIRED_ARCHITECTURES:
        return tensor
    key = f"{architecture}.attention.head_count"
    heads = values.get(key)
    if match.group(1) == "k":
        heads = values.get(f"{key}_kv", heads)
    if not isinstance(heads, int) or not 1 <= heads <= MOST_HEADS or tensor.row_count % (2 * heads):
        raise InvalidWeights(
            f"The GGUF file does not say how many heads the rows of tensor {quote(tensor.name)} "
            f"make ({key}), or says it wrongly."
        )
    return PairedRows(tensor, head_rows=tensor.row_count // heads)
