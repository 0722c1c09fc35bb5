"""Two threads read a checkpoint's tensors at once, whatever they lie in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.fingerprints import fingerprint_weights
from model_heritage_backend.weights import open_weights

Arrays = dict[str, NDArray[np.float32]]


def save_strided(arrays: Arrays, path: Path) -> None:
    """All views of one storage: a thread's window holds values of one tensor."""
    whole = torch.from_numpy(np.stack(list(arrays.values()), axis=-1))
    torch.save({name: whole[..., i] for i, name in enumerate(arrays)}, path)


def save_packed(arrays: Arrays, path: Path) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def save_fortran(arrays: Arrays, path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **{name: np.asfortranarray(array) for name, array in arrays.items()})


@pytest.mark.parametrize("save", [save_strided, save_packed, save_fortran])
def test_every_value_is_read(save: Callable[[Arrays, Path], None], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    arrays = {f"w{i}": random.standard_normal((400, 700), np.float32) for i in range(8)}
    save(arrays, tmp_path / "model")
    with open_weights(tmp_path / "model") as weights:
        found = fingerprint_weights(weights, checksum="0" * 64)
    digests = {name: xxhash.xxh3_128_hexdigest(array.tobytes()) for name, array in arrays.items()}
    assert {name: tensor.value_digest for name, tensor in found.tensors.items()} == digests
