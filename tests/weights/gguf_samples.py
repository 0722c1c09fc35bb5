"""GGUF files for tests: by the gguf package where it can write them, by hand where it cannot."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import gguf
import numpy as np
from gguf.quants import quantize
from numpy.typing import NDArray

Kind = gguf.GGMLQuantizationType
Array = NDArray[np.generic]
Floats = NDArray[np.float32]
WRITTEN_BY_PACKAGE = (Kind.Q4_0, Kind.Q4_1, Kind.Q5_0, Kind.Q5_1, Kind.Q8_0)


def quantise_q4_k(values: Floats) -> NDArray[np.uint8]:
    """Blocks of 256 values as llama.cpp makes them, but for its search for the best scales."""
    groups = values.reshape(-1, 8, 32)
    least = np.maximum(-groups.min(axis=2), 0)
    scales = (groups.max(axis=2) + least) / 15
    unit, least_unit = _half(scales.max(axis=1) / 63), _half(least.max(axis=1) / 63)
    sixths = _divide(scales, unit[:, None], 0, 63)
    least_sixths = _divide(least, least_unit[:, None], 0, 63)
    step = (unit[:, None] * sixths)[:, :, None]
    codes = _divide(groups + (least_unit[:, None] * least_sixths)[:, :, None], step, 0, 15)
    packed = np.zeros((len(groups), 12), np.uint8)
    for j in range(4):
        a, m = sixths.astype(np.uint8), least_sixths.astype(np.uint8)
        packed[:, j] = a[:, j] | (a[:, j + 4] >> 4 << 6)
        packed[:, j + 4] = m[:, j] | (m[:, j + 4] >> 4 << 6)
        packed[:, j + 8] = (a[:, j + 4] & 15) | (m[:, j + 4] & 15) << 4
    pairs = codes.astype(np.uint8).reshape(-1, 4, 2, 32)
    nibbles = (pairs[:, :, 0] | pairs[:, :, 1] << 4).reshape(len(groups), 128)
    units = np.stack([unit, least_unit], axis=1).astype("<f2").view(np.uint8)
    return np.hstack([units, packed, nibbles])


def quantise_q6_k(values: Floats) -> NDArray[np.uint8]:
    """Likewise."""
    groups = values.reshape(-1, 16, 16)
    scales = np.abs(groups).max(axis=2) / 32
    unit = _half(scales.max(axis=1) / 127)
    whole = _divide(scales, unit[:, None], -128, 127)
    codes = _divide(groups, (unit[:, None] * whole)[:, :, None], -32, 31) + 32
    quarters = codes.astype(np.uint8).reshape(-1, 2, 4, 32)
    low, high = quarters & 15, quarters >> 4
    lower = np.concatenate([low[:, :, 0] | low[:, :, 2] << 4, low[:, :, 1] | low[:, :, 3] << 4], 2)
    upper = high[:, :, 0] | high[:, :, 1] << 2 | high[:, :, 2] << 4 | high[:, :, 3] << 6
    count = len(groups)
    return np.hstack(
        [
            lower.reshape(count, 128),
            upper.reshape(count, 64),
            whole.astype(np.int8).view(np.uint8),
            unit.astype("<f2").view(np.uint8)[:, None].reshape(count, 2),
        ]
    )


BY_HAND: dict[Kind, Callable[[Floats], NDArray[np.uint8]]] = {
    Kind.Q4_K: quantise_q4_k,
    Kind.Q6_K: quantise_q6_k,
}


def quantise(values: Floats, kind: Kind) -> NDArray[np.uint8]:
    """Bytes of the blocks, (..., bytes of a row)."""
    if kind not in BY_HAND:
        return quantize(values, kind)
    blocks = BY_HAND[kind](np.ascontiguousarray(values, np.float32))
    return blocks.reshape(*values.shape[:-1], -1)


def write_gguf(
    path: Path,
    arrays: Mapping[str, Array],
    *,
    kinds: Mapping[str, Kind] | Kind = Kind.F32,
    architecture: str = "llama",
    numbers: Mapping[str, int] | None = None,
    strings: Mapping[str, str] | None = None,
) -> Path:
    """Matrices whose rows are made of whole blocks in the given kind, all others as they are."""
    writer = gguf.GGUFWriter(path, architecture)
    for key, number in (numbers or {}).items():
        writer.add_uint32(key, number)
    for key, text in (strings or {}).items():
        writer.add_string(key, text)
    for name, array in arrays.items():
        kind = kinds.get(name, Kind.F32) if isinstance(kinds, Mapping) else kinds
        block = gguf.GGML_QUANT_SIZES[kind][0]
        if block == 1 or array.ndim < 2 or array.shape[-1] % block:
            writer.add_tensor(name, np.ascontiguousarray(array))
        else:
            writer.add_tensor(name, quantise(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def entry(key: str | bytes, kind: int, value: bytes) -> bytes:
    """One thing that a file says about itself."""
    return string(key) + struct.pack("<I", kind) + value


def tensor(name: str | bytes, dimensions: Sequence[int], kind: int = 0, offset: int = 0) -> bytes:
    """One tensor of the header; dimensions in the file's order, the innermost first."""
    form = f"<I{len(dimensions)}QIQ"
    return string(name) + struct.pack(form, len(dimensions), *dimensions, kind, offset)


def build_gguf(
    tensors: Sequence[bytes] = (),
    entries: Sequence[bytes] = (),
    data: bytes = b"",
    *,
    version: int = 3,
    counts: tuple[int, int] | None = None,
    alignment: int = 32,
) -> bytes:
    """A file from the bytes of its parts; ``counts`` of tensors and entries may lie."""
    first, second = counts or (len(tensors), len(entries))
    head = struct.pack("<4sIQQ", b"GGUF", version, first, second)
    head += b"".join(entries) + b"".join(tensors)
    return head + bytes(-len(head) % alignment) + data


def _half(values: NDArray[np.floating]) -> Floats:
    return values.astype(np.float16).astype(np.float32)


def _divide(values: Floats, unit: Floats, low: int, high: int) -> Floats:
    quotient = np.divide(values, unit, out=np.zeros_like(values), where=unit != 0)
    return np.clip(np.round(quotient), low, high).astype(np.float32)
