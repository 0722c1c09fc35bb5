"""Real files for the readers' tests, written by PyTorch and by the safetensors library."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from model_heritage_backend.weights import Weights, decode

COMMON_TYPES = (
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn,
    torch.float8_e5m2, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16,
    torch.uint32, torch.uint64, torch.bool,
)  # fmt: skip


def make_tensor(dtype: torch.dtype, shape: tuple[int, ...]) -> torch.Tensor:
    """Values that the type holds exactly or rounds; negative ones where it has them."""
    generator = torch.Generator().manual_seed(len(shape))
    values = torch.randn(shape, generator=generator) * 50
    signed = dtype.is_floating_point or dtype in (torch.int64, torch.int32, torch.int16, torch.int8)
    return (values if signed else values.abs()).to(dtype)


def make_all_types() -> dict[str, torch.Tensor]:
    tensors = {str(dtype)[6:]: make_tensor(dtype, (7, 5)) for dtype in COMMON_TYPES}
    tensors |= {
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 4),
        "vector": make_tensor(torch.float32, (11,)),
        "cube": make_tensor(torch.float32, (3, 2, 4)),
    }
    return tensors


def as_numbers(tensor: torch.Tensor) -> NDArray[np.float64]:
    """What our reader must give, as float64; integers pass through Python to stay exact."""
    if tensor.dtype is torch.uint64:
        return np.array(tensor.flatten().tolist(), np.float64).reshape(tensor.shape)
    return tensor.to(torch.float64).numpy()


def read_all(weights: Weights, *, piece: int = 1 << 20) -> dict[str, NDArray[np.float64]]:
    """Every tensor's values as float64, read in pieces of ``piece`` values."""
    values = {}
    for name, tensor in weights.items():
        parts = [decode(raw, tensor.dtype).copy() for _, raw in tensor.iterate_raw(piece)]
        flat = np.concatenate(parts) if parts else np.empty(0)
        values[name] = flat.reshape(tensor.shape).astype(np.float64)
    return values


def save_torch(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


def build_safetensors(header: bytes, data: bytes = b"", *, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def build_torch_zip(
    pickle: bytes, records: dict[str, bytes] | None = None, *, compression: int = zipfile.ZIP_STORED
) -> bytes:
    """A PyTorch file with the given description and records, by the standard library."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("x/data.pkl", pickle)
        for name, value in (records or {}).items():
            archive.writestr(f"x/{name}", value)
    return buffer.getvalue()
