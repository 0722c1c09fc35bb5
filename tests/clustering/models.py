"""Models as arrays: real ones from files, and variants of them made by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.fingerprints.sampling import SAMPLE_SIZE
from model_heritage_backend.weights import open_weights
from model_heritage_backend.weights.tensors import STORAGE, LazyTensor, Weights

Array = NDArray[np.floating]
DTYPES = {storage: dtype for dtype, storage in STORAGE.items() if dtype.is_floating}
"""numpy type -> storage type; float16, float32 and float64 are enough here."""


class ArrayTensor(LazyTensor):
    def __init__(self, name: str, array: Array) -> None:
        super().__init__(name, array.shape, DTYPES[array.dtype])
        self._flat = np.ascontiguousarray(array).ravel()

    def read_raw(self, start: int, stop: int) -> Array:
        return self._flat[start:stop]


class ArrayWeights(Weights):
    format, metadata = "arrays", {}

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._tensors = {name: ArrayTensor(name, array) for name, array in arrays.items()}

    def close(self) -> None:
        """Nothing is open."""


def fingerprint_arrays(
    arrays: Mapping[str, Array], *, sample_size: int = SAMPLE_SIZE
) -> Fingerprint:
    """Fingerprint of the file that these arrays would make."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    checksum = hashlib.sha256(save(contiguous)).hexdigest()
    return fingerprint_weights(ArrayWeights(contiguous), checksum=checksum, sample_size=sample_size)


def fingerprint_file(path: Path) -> Fingerprint:
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    with open_weights(path) as weights:
        return fingerprint_weights(weights, checksum=checksum)


def load_arrays(path: Path) -> dict[str, Array]:
    """All tensors of a file; bfloat16 ones are not supported."""
    return dict(load_file(path))


def add_noise(
    arrays: Mapping[str, Array], *, share: float, seed: int, rank: int | None = None
) -> dict[str, Array]:
    """A child: each matrix moved by ``share`` of its norm, at random or by one of low rank."""
    rng = np.random.default_rng(seed)
    child = dict(arrays)
    for name, array in arrays.items():
        if array.ndim < 2:
            continue
        rows, columns = array.shape[0], array.size // array.shape[0]
        if rank is None:
            step = rng.standard_normal((rows, columns))
        else:
            step = rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, columns))
        step *= share * np.linalg.norm(array) / np.linalg.norm(step)
        child[name] = (array + step.reshape(array.shape)).astype(array.dtype)
    return child


def make_arrays(seed: int, *, width: int = 24, depth: int = 2) -> dict[str, Array]:
    """A small stranger: square and wide matrices of laplacian values, and biases."""
    rng = np.random.default_rng(seed)
    shapes = {"attention": (width, width), "dense": (2 * width, width)}
    arrays: dict[str, Array] = {}
    for layer in range(depth):
        for kind, shape in shapes.items():
            values = rng.laplace(0.0, 0.05, shape).astype(np.float32)
            arrays[f"blocks.{layer}.{kind}.weight"] = values
            arrays[f"blocks.{layer}.{kind}.bias"] = values[0] / 2
    return arrays


def make_adapter(base: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
    """A small adapter of all matrices, as PEFT stores it, and the base with it merged in."""
    rng = np.random.default_rng(9)
    factors: dict[str, Array] = {}
    merged = dict(base)
    for name, matrix in base.items():
        if matrix.ndim == 2:
            prefix = "base_model.model." + name.removesuffix(".weight")
            down = 0.1 * rng.standard_normal((2, matrix.shape[1])).astype(np.float32)
            up = 0.1 * rng.standard_normal((matrix.shape[0], 2)).astype(np.float32)
            factors |= {f"{prefix}.lora_A.weight": down, f"{prefix}.lora_B.weight": up}
            merged[name] = matrix + up @ down
    return factors, merged
