"""Packed layouts: packed here by the layouts' own definitions, unpacked to the values they mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.fingerprints import fingerprint_weights
from model_heritage_backend.weights import open_weights
from tests.weights.samples import read_all

Integers = NDArray[np.int64]
PACK_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)
"""AutoAWQ's order_map: the word's value i is output order_map[i]."""


def pack(
    numbers: Integers, bits: int, axis: int, order: tuple[int, ...] | None = None
) -> np.ndarray:
    """Along the axis, 32 / bits numbers to an int32 word, the first in the lowest bits."""
    per_word = 32 // bits
    moved = np.moveaxis(numbers, axis, -1)
    groups = moved.reshape(*moved.shape[:-1], -1, per_word)
    words = np.zeros(groups.shape[:-1], np.uint32)
    for place in range(per_word):
        value = groups[..., order[place] if order else place]
        words |= (value & (2**bits - 1)).astype(np.uint32) << np.uint32(bits * place)
    return np.ascontiguousarray(np.moveaxis(words, -1, axis)).view(np.int32)


def draw(bits: int, *, symmetric: bool, inputs: int = 64, outputs: int = 96, group: int = 16):
    """(numbers (in, out), zeros (groups, out), scales (groups, out), group of each input)"""
    generator = np.random.default_rng(bits)
    numbers = generator.integers(0, 2**bits, (inputs, outputs))
    zeros = generator.integers(0, 2**bits, (inputs // group, outputs))
    if symmetric:
        zeros[:] = 2 ** (bits - 1)
    scales = generator.uniform(0.001, 0.1, zeros.shape).astype(np.float16)
    return numbers, zeros, scales, np.arange(inputs) // group


def read(folder: Path, **tensors: np.ndarray) -> dict[str, np.ndarray]:
    path = folder / "a.safetensors"
    save_file({f"l.{name}": np.ascontiguousarray(t) for name, t in tensors.items()}, path)
    with open_weights(path) as weights:
        assert weights.uncompared == ()
        pieces = read_all(weights, piece=97)
        whole = read_all(weights)
    for name, values in whole.items():
        np.testing.assert_array_equal(values, pieces[name])
    return whole


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_gptq(tmp_path: Path, bits: int, symmetric: bool) -> None:
    numbers, zeros, scales, groups = draw(bits, symmetric=symmetric)
    shuffled = np.random.default_rng(0).permutation(groups).astype(np.int32)
    found = read(
        tmp_path,
        qweight=pack(numbers, bits, 0),
        qzeros=pack(zeros - 1, bits, 1),
        scales=scales,
        g_idx=shuffled,
        bias=np.ones(96, np.float16),
    )
    expected = (numbers - zeros[shuffled]) * scales[shuffled].astype(np.float64)
    assert list(found) == ["l.bias", "l.weight"]
    np.testing.assert_allclose(found["l.weight"], expected.T, rtol=1e-6)


def test_gptq_without_the_one_and_without_groups(tmp_path: Path) -> None:
    numbers, zeros, scales, groups = draw(4, symmetric=True)
    found = read(tmp_path, qweight=pack(numbers, 4, 0), qzeros=pack(zeros, 4, 1), scales=scales)
    expected = (numbers - zeros[groups]) * scales[groups].astype(np.float64)
    np.testing.assert_allclose(found["l.weight"], expected.T, rtol=1e-6)


def test_awq(tmp_path: Path) -> None:
    numbers, zeros, scales, groups = draw(4, symmetric=False)
    found = read(
        tmp_path,
        qweight=pack(numbers, 4, 1, PACK_ORDER),
        qzeros=pack(zeros, 4, 1, PACK_ORDER),
        scales=scales,
    )
    expected = (numbers - zeros[groups]) * scales[groups].astype(np.float64)
    np.testing.assert_allclose(found["l.weight"], expected.T, rtol=1e-6)


def test_a_wide_matrix_is_unpacked_in_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_heritage_backend.weights.quantised_layouts.WINDOW_VALUES", 64)
    test_gptq(tmp_path, 4, False)
    test_awq(tmp_path)


def test_int8_of_bitsandbytes(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    weight = generator.integers(-127, 128, (12, 20)).astype(np.int8)
    scales = generator.uniform(0.1, 1, 12).astype(np.float32)
    found = read(tmp_path, weight=weight, SCB=scales, weight_format=np.zeros((), np.uint8))
    np.testing.assert_allclose(found["l.weight"], weight * scales[:, None] / 127, rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (1,), (200,), (200, 1)])
def test_scaled_rows(tmp_path: Path, shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)
    weight = generator.integers(-127, 128, (200, 20)).astype(np.int8)
    scales = generator.uniform(0.1, 1, shape).astype(np.float32)
    found = read(tmp_path, weight=weight, weight_scale=scales)
    expected = weight * (scales[:, None] if shape == (200,) else scales)
    np.testing.assert_allclose(found["l.weight"], expected, rtol=1e-6)


def test_scaled_blocks(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    weight = generator.integers(-127, 128, (200, 300)).astype(np.int8)
    scales = generator.uniform(0.1, 1, (2, 3)).astype(np.float32)
    found = read(tmp_path, weight=weight, weight_scale_inv=scales)
    spread = scales.repeat(128, 0)[:200].repeat(128, 1)[:, :300]
    np.testing.assert_allclose(found["l.weight"], weight * spread, rtol=1e-6)


@pytest.mark.parametrize(
    "tensors",
    [
        {"qweight": np.ones((8, 8), np.int32), "scales": np.ones((1, 8), np.float16)},
        {"qweight": np.ones((6, 8), np.int32), "qzeros": np.ones((1, 3), np.int32),
         "scales": np.ones((1, 32), np.float16)},
        {"qweight": np.ones((1, 8), np.int32), "qzeros": np.ones((8, 1), np.int32),
         "scales": np.ones((8, 8), np.float16)},
        {"weight": np.ones((64, 1), np.uint8), "weight.absmax": np.ones(2, np.float32),
         "weight.quant_map": np.ones(16, np.float32),
         "weight.quant_state.bitsandbytes__nf4": np.ones(90, np.uint8)},
        {"weight": np.ones((8, 8), np.int8), "SCB": np.ones(8, np.float32),
         "weight_format": np.ones((), np.uint8)},
        {"weight": np.ones((8, 8), np.int8), "weight_scale": np.ones((8, 2), np.float32)},
        {"weight_packed": np.ones((8, 8), np.int32), "weight_scale": np.ones((8, 1), np.float32)},
        {"B": np.ones((8, 8), np.int32), "s": np.ones((1, 64), np.float16),
         "workspace": np.zeros(16, np.int32)},
    ],
)  # fmt: skip
def test_other_layouts_are_left_out_and_named(
    tmp_path: Path, tensors: dict[str, np.ndarray]
) -> None:
    packed = {f"l.{name}": tensor for name, tensor in tensors.items()}
    plain = {"head.weight": np.arange(64, dtype=np.float32).reshape(8, 8)}
    save_file(packed | plain, tmp_path / "a")
    with open_weights(tmp_path / "a") as weights:
        assert list(weights) == ["head.weight"]
        assert sorted(weights.uncompared) == sorted(packed)
        assert fingerprint_weights(weights, checksum="").quality == ("uncompared",)
    save_file(packed, tmp_path / "b")
    with pytest.raises(InvalidWeights, match="cannot be unpacked yet"):
        open_weights(tmp_path / "b")


def test_plain_files_stay_as_they_are(tmp_path: Path) -> None:
    save_file({"scales": np.ones(3, np.float32), "g_idx": np.ones(3, np.int32)}, tmp_path / "a")
    with open_weights(tmp_path / "a") as weights:
        assert sorted(weights) == ["g_idx", "scales"]
