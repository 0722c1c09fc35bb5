"""Packed and scaled weights as the plain matrices that they stand for, dequantised piece by piece.

Libraries that quantise store a matrix as several tensors, told by their names. Of the layouts that
are documented, the parts are replaced by one lazy float32 tensor under the plain name, which is
exact: whole numbers of at most 8 bits times a scale of at most 16. The rest is taken out of the
comparison and named in ``uncompared``, as packed bits would compare wrongly.

- GPTQ (AutoGPTQ's format of 2, 4 and 8 bits): ``qweight`` (in / n, out) holds n = 32 / bits inputs
  per word, ``qzeros`` (groups, out / n) zero points less one, ``scales`` (groups, out), ``g_idx``
  (in,) the group of each input.
- AWQ (its GEMM format of 4 bits): ``qweight`` (in, out / 8), ``qzeros`` (groups, out / 8), with the
  outputs of a word in the order of AWQ_ORDER, ``scales`` (groups, out).
- bitsandbytes of 8 bits (LLM.int8): ``weight`` int8 (out, in) and ``SCB`` (out,): times / 127.
- Scaled int8 and fp8: ``weight`` times ``weight_scale``, one number or one per row, or times
  ``weight_scale_inv``, one per block of 128 x 128 (DeepSeek).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.tensors import DType, LazyTensor, Weights, decode

Integers = NDArray[np.int64]
AWQ_ORDER = (0, 4, 1, 5, 2, 6, 3, 7)
"""Which of its eight values a word of AWQ holds for output 0, 1, ..."""
GPTQ_BITS = (2, 4, 8)
WORD_BITS = 32
INT8_LARGEST = 127.0
SCALE_BLOCK = 128
WINDOW_VALUES = 1 << 21
# Honest layers have fewer inputs and larger groups; what is unpacked at once depends on both.
MOST_INPUTS = 1 << 18
SMALLEST_GROUP = 8
# Endings of names that only quantised layers have; the part before them is the layer.
PACKED = (
    ".qweight", ".SCB", ".weight.absmax", ".weight_packed", ".weight_scale", ".weight_scale_inv",
    ".workspace",
)  # fmt: skip
PARTS = (
    "weight", "qweight", "qzeros", "scales", "g_idx", "SCB", "weight_format", "weight_packed",
    "weight_scale", "weight_scale_inv", "weight_shape", "weight_zero_point", "weight_g_idx",
    "input_scale", "weight.absmax", "weight.quant_map", "weight.nested_absmax",
    "weight.nested_quant_map", "weight.quant_state.bitsandbytes__nf4",
    "weight.quant_state.bitsandbytes__fp4", "B", "s", "workspace",
)  # fmt: skip
"""Names of the tensors that make up a quantised layer's matrix, after the layer's own."""


def unpack_quantised(weights: Weights) -> Weights:
    """The weights with plain matrices in the place of quantised ones; themselves if there are none.

    Raises
    ------
    InvalidWeights
        When the small tensors that describe a layout cannot be read.
    """
    layers = {
        name.removesuffix(ending) for name in weights for ending in PACKED if name.endswith(ending)
    }
    return UnpackedWeights(weights, layers) if layers else weights


class UnpackedWeights(Weights):
    """Another checkpoint's tensors, its quantised layers unpacked; closes with it."""

    def __init__(self, packed: Weights, layers: set[str]) -> None:
        self._packed = packed
        self.format, self.metadata, self.tied = packed.format, packed.metadata, packed.tied
        unpacked: dict[str, LazyTensor] = {}
        hidden: set[str] = set()
        uncompared: list[str] = []
        for layer in sorted(layers):
            parts = {
                part: packed[f"{layer}.{part}"] for part in PARTS if f"{layer}.{part}" in packed
            }
            tensor = _open_layer(layer, parts)
            if tensor is not None:
                unpacked[tensor.name] = tensor
            else:
                uncompared += [part.name for part in parts.values()]
            hidden |= {part.name for part in parts.values()}
        self.uncompared = tuple(uncompared)
        self._tensors = {n: t for n, t in packed.items() if n not in hidden} | unpacked
        if not any(t.dtype.is_floating and t.size for t in self._tensors.values()):
            raise InvalidWeights(
                "The weights in this file are packed in a way that cannot be unpacked yet, so "
                "there is nothing to compare."
            )

    def close(self) -> None:
        self._packed.close()


def _open_layer(layer: str, parts: Mapping[str, LazyTensor]) -> LazyTensor | None:
    """The plain matrix, or None where the layout is not one of those known."""
    name = f"{layer}.weight"
    if "qweight" in parts and "weight" not in parts:
        layout = _find_layout(parts)
        return None if layout is None else _PackedMatrix(name, parts, layout)
    weight = parts.get("weight")
    if weight is None or len(weight.shape) != 2 or 0 in weight.shape:
        return None
    rows, columns = weight.shape
    if weight.dtype is DType.I8 and "SCB" in parts:
        row_major = "weight_format" not in parts or not _read(parts["weight_format"]).any()
        fits = row_major and parts["SCB"].shape == (rows,)
        return _ScaledMatrix(weight, parts["SCB"], (1, columns), 1 / INT8_LARGEST) if fits else None
    if weight.dtype not in SCALED_TYPES or "weight_zero_point" in parts:
        return None
    if "weight_scale" in parts:
        scales = parts["weight_scale"]
        blocks = {(): (rows, columns), (1,): (rows, columns), (rows,): (1, columns),
                  (rows, 1): (1, columns)}  # fmt: skip
        block = blocks.get(scales.shape)
        return None if block is None else _ScaledMatrix(weight, scales, block)
    if "weight_scale_inv" in parts:
        scales = parts["weight_scale_inv"]
        fits = scales.shape == (-(-rows // SCALE_BLOCK), -(-columns // SCALE_BLOCK))
        return _ScaledMatrix(weight, scales, (SCALE_BLOCK, SCALE_BLOCK)) if fits else None
    return None


SCALED_TYPES = frozenset({DType.I8, DType.F8_E4M3, DType.F8_E5M2})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How a packed matrix is to be read; ``along_inputs`` for GPTQ, along the outputs for AWQ."""

    bits: int
    inputs: int
    outputs: int
    groups: int
    along_inputs: bool


def _find_layout(parts: Mapping[str, LazyTensor]) -> _Layout | None:
    """GPTQ or AWQ where all shapes agree with it, else None."""
    if not parts.keys() >= {"qweight", "qzeros", "scales"}:
        return None
    words, zeros, scales = parts["qweight"], parts["qzeros"], parts["scales"]
    shapes = (words.shape, zeros.shape, scales.shape)
    if any(len(shape) != 2 or 0 in shape for shape in shapes):
        return None
    if words.dtype is not DType.I32 or zeros.dtype is not DType.I32:
        return None
    groups, outputs = scales.shape
    if not scales.dtype.is_floating or zeros.shape[0] != groups:
        return None
    bits = WORD_BITS * zeros.shape[1] // outputs
    if bits not in GPTQ_BITS or zeros.shape[1] * WORD_BITS != outputs * bits:
        return None
    per_word = WORD_BITS // bits
    group_indices = parts.get("g_idx")
    if words.shape[1] == outputs:
        inputs = words.shape[0] * per_word
        fits = inputs % groups == 0 if group_indices is None else group_indices.shape == (inputs,)
        along_inputs = True
    else:
        inputs = words.shape[0]
        fits = (
            bits == 4
            and words.shape[1] * per_word == outputs
            and inputs % groups == 0
            and group_indices is None
        )
        along_inputs = False
    if not fits or inputs > MOST_INPUTS or inputs < SMALLEST_GROUP * groups:
        return None
    return _Layout(
        bits=bits, inputs=inputs, outputs=outputs, groups=groups, along_inputs=along_inputs
    )


class _PackedMatrix(LazyTensor):
    """A GPTQ or AWQ matrix as (outputs, inputs), unpacked a few outputs at a time."""

    def __init__(self, name: str, parts: Mapping[str, LazyTensor], layout: _Layout) -> None:
        super().__init__(name, (layout.outputs, layout.inputs), DType.F32)
        self._parts = parts
        self._layout = layout
        self._first = 0
        self._rows: NDArray[np.float32] = np.empty((0, layout.inputs), np.float32)

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        if not 0 <= start <= stop <= self.size:
            raise IndexError(f"{start}:{stop} is outside a tensor of {self.size} values")
        first, last = start // self._layout.inputs, -(-stop // self._layout.inputs)
        if first < self._first or last > self._first + len(self._rows):
            count = max(last - first, WINDOW_VALUES // self._layout.inputs)
            # Whole words of outputs, which AWQ packs together.
            first -= first % WORD_BITS
            last = min(first + -(-(count + WORD_BITS) // WORD_BITS) * WORD_BITS, self.shape[0])
            self._rows = self._unpack(first, last)
            self._rows.flags.writeable = False
            self._first = first
        begin = self._first * self._layout.inputs
        return self._rows.reshape(-1)[start - begin : stop - begin]

    def _unpack(self, first: int, last: int) -> NDArray[np.float32]:
        layout = self._layout
        zeros = self._read_zeros(first, last)
        scales = _read_columns(self._parts["scales"], first, last).astype(np.float32)
        if layout.along_inputs:
            words = _read_columns(self._parts["qweight"], first, last)
            numbers = _unpack_rows(words, layout.bits)
        else:
            per_word = WORD_BITS // layout.bits
            words = _read_columns(self._parts["qweight"], first // per_word, last // per_word)
            numbers = _unpack_columns(words, layout.bits)[:, _order_outputs(last - first)]
        groups = self._read_groups()
        values = (numbers - zeros[groups]).astype(np.float32) * scales[groups]
        return np.ascontiguousarray(values.T)

    def _read_zeros(self, first: int, last: int) -> Integers:
        """Zero points of these outputs, (groups, last - first)."""
        bits = self._layout.bits
        per_word = WORD_BITS // bits
        begin, end = first // per_word, -(-last // per_word)
        zeros = _unpack_columns(_read_columns(self._parts["qzeros"], begin, end), bits)
        zeros = zeros[:, : last - first]
        if not self._layout.along_inputs:
            return zeros[:, _order_outputs(last - first)]
        # GPTQ keeps zero points less one. A later version of the format does not; where all are the
        # middle of the range, as in symmetric quantisation, the numbers say which one it is.
        symmetric = bool((zeros == 2 ** (bits - 1)).all())
        return zeros if symmetric else (zeros + 1) % 2**bits

    def _read_groups(self) -> Integers:
        """The group of each input."""
        layout = self._layout
        indices = self._parts.get("g_idx")
        if indices is None:
            return np.arange(layout.inputs) // (layout.inputs // layout.groups)
        # A number beyond the groups is clipped: the values are then as odd as the file.
        return np.clip(_read(indices).astype(np.int64), 0, layout.groups - 1)


class _ScaledMatrix(LazyTensor):
    """A matrix whose blocks are each multiplied by a scale and all by a factor."""

    def __init__(
        self,
        weight: LazyTensor,
        scales: LazyTensor,
        block: tuple[int, int],
        factor: float = 1.0,
    ) -> None:
        super().__init__(weight.name, weight.shape, DType.F32)
        self._weight = weight
        self._scales = scales
        self._block = block
        self._factor = np.float32(factor)

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        rows, columns = self._block
        across = -(-self.row_size // columns)
        places = np.arange(start, stop)
        blocks = places // self.row_size // rows * across + places % self.row_size // columns
        scales = _read(self._scales).reshape(-1).astype(np.float32)[blocks] * self._factor
        values = decode(self._weight.read_raw(start, stop), self._weight.dtype)
        product: NDArray[np.float32] = values.astype(np.float32) * scales
        return product


def _read(tensor: LazyTensor) -> NDArray[np.generic]:
    """All values of a small tensor, in its shape."""
    raw = tensor.read_raw(0, tensor.size)
    values = decode(raw, tensor.dtype) if tensor.dtype.is_floating else raw.copy()
    return np.reshape(values, tensor.shape)


def _read_columns(tensor: LazyTensor, first: int, last: int) -> NDArray[np.generic]:
    """Columns of a matrix, (rows, last - first); floating point ones decoded."""
    rows, width = tensor.shape
    out = np.empty((rows, last - first), tensor.dtype.storage)
    for row in range(rows):
        out[row] = tensor.read_raw(row * width + first, row * width + last)
    return decode(out, tensor.dtype) if tensor.dtype.is_floating else out


def _unpack_rows(words: NDArray[np.generic], bits: int) -> Integers:
    """(rows, columns) of words -> (rows * values per word, columns), lowest bits first."""
    shifts = np.arange(0, WORD_BITS, bits, dtype=np.uint32)[None, :, None]
    numbers = (words.view(np.uint32)[:, None, :] >> shifts) & np.uint32(2**bits - 1)
    return numbers.reshape(-1, words.shape[1]).astype(np.int64)


def _unpack_columns(words: NDArray[np.generic], bits: int) -> Integers:
    """(rows, columns) of words -> (rows, columns * values per word), lowest bits first."""
    shifts = np.arange(0, WORD_BITS, bits, dtype=np.uint32)
    numbers = (words.view(np.uint32)[:, :, None] >> shifts) & np.uint32(2**bits - 1)
    return numbers.reshape(len(words), -1).astype(np.int64)


def _order_outputs(outputs: int) -> Integers:
    """Where AWQ keeps each output."""
    places = np.arange(outputs, dtype=np.int64)
    order: Integers = places - places % 8 + np.array(AWQ_ORDER)[places % 8]
    return order
