"""Matrices rounded to few levels in each group, told from all that looks alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from model_heritage_backend.clustering.levels import count_levels

Matrix = NDArray[np.float32]
SOURCE: Matrix = np.random.default_rng(1).standard_normal((48, 256)).astype(np.float32)


def in_groups(change: Callable[[Matrix], NDArray[np.floating]], size: int) -> Matrix:
    return change(SOURCE.reshape(-1, size)).reshape(SOURCE.shape).astype(np.float32)


def round_evenly(groups: Matrix, levels: int = 16) -> NDArray[np.floating]:
    low, high = groups.min(1, keepdims=True), groups.max(1, keepdims=True)
    step = (high - low) / (levels - 1)
    return np.round((groups - low) / step) * step + low


def round_normally(groups: Matrix) -> NDArray[np.floating]:
    """To levels that lie closer near zero, as those of NF4."""
    levels = np.sort(np.random.default_rng(2).standard_normal(4000))[::266][:16] / 3
    scale = np.abs(groups).max(1, keepdims=True)
    return levels[np.abs((groups / scale)[..., None] - levels).argmin(-1)] * scale


def add_noise(values: Matrix, size: float) -> Matrix:
    noise = np.random.default_rng(3).standard_normal(values.shape)
    return (values + size * noise).astype(np.float32)


QUANTISED = in_groups(round_evenly, 64)
STEP = float(np.sqrt(np.mean((QUANTISED - SOURCE) ** 2)))


@pytest.mark.parametrize("size", [32, 64, 128, 256, SOURCE.size])
def test_levels_of_every_size_of_group(size: int) -> None:
    levels = count_levels(SOURCE[None], in_groups(round_evenly, size)[None])
    assert 10 <= levels[0] <= 16
    assert count_levels(in_groups(round_evenly, size)[None], SOURCE[None]) == -levels


def test_uneven_levels_and_fewer_bits() -> None:
    assert 10 <= count_levels(SOURCE[None], in_groups(round_normally, 64)[None])[0] <= 16
    few = in_groups(lambda groups: round_evenly(groups, 8), 64)
    assert 5 <= count_levels(SOURCE[None], few[None])[0] <= 8


def test_rounded_again_to_bfloat16() -> None:
    shortened = (QUANTISED.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    assert count_levels(SOURCE[None], shortened[None])[0] > 0


@pytest.mark.parametrize("size", [0.01, 0.1, 0.5, 1.0, 1.5, 3.0])
def test_what_was_trained_from_a_quantised_model_is_not_its_source(size: float) -> None:
    """Steps far below, like and far above those of the rounding."""
    trained = add_noise(QUANTISED, size * STEP)
    assert count_levels(QUANTISED[None], trained[None])[0] == 0


def test_what_else_has_few_values_is_not_quantised() -> None:
    order = np.argsort(np.abs(SOURCE), axis=1)
    pruned = SOURCE.copy()
    np.put_along_axis(pruned, order[:, :180], 0.0, axis=1)
    others = {
        "pruned": pruned,
        "a fine-tune": add_noise(SOURCE, 0.01),
        "bfloat16": (SOURCE.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32),
        "eight bits": in_groups(lambda groups: round_evenly(groups, 256), 64),
        "constant": np.zeros_like(SOURCE),
        "itself": SOURCE,
        "another model, quantised": np.roll(QUANTISED, 1, axis=0),
    }
    for name, other in others.items():
        assert count_levels(SOURCE[None], other[None])[0] == 0, name


def test_each_matrix_is_judged_by_itself() -> None:
    first = np.stack([SOURCE, SOURCE, QUANTISED])
    second = np.stack([QUANTISED, SOURCE, SOURCE])
    levels = count_levels(first, second)
    assert levels[0] == -levels[2] > 0
    assert levels[1] == 0


@pytest.mark.parametrize("shape", [(2, 0, 64), (2, 4, 31), (0, 4, 64)])
def test_too_little_to_tell(shape: tuple[int, ...]) -> None:
    assert not count_levels(np.zeros(shape), np.zeros(shape)).any()


def test_values_beyond_all_levels_are_not_rounded_to_them() -> None:
    signs = (np.sign(SOURCE) * np.abs(SOURCE).min() / 2).astype(np.float32)
    assert count_levels(SOURCE[None], signs[None]).tolist() == [0]
