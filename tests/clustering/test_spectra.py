"""Ranks and directions of deltas against full decompositions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering.copies import round_bfloat16
from model_heritage_backend.clustering.spectra import (
    calculate_delta_rank,
    calculate_delta_ranks,
    find_range,
    top_singular_vectors,
)
from tests.clustering.families import Floats

BFLOAT16, FLOAT32 = 2.0**-9, 2.0**-24


def draw_low_rank(rows: int, columns: int, rank: int, *, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    low: Floats = rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, columns))
    low /= np.sqrt(rank)
    return low


def store(rows: int, columns: int, rank: int, *, share: float, roundoff: float) -> Floats:
    """Delta of a parent and a child of low rank, both stored in a narrow type."""
    rng = np.random.default_rng(0)
    parent = rng.standard_normal((rows, columns))
    child = parent + share * draw_low_rank(rows, columns, rank, seed=1)
    if roundoff == BFLOAT16:
        return round_bfloat16(child) - round_bfloat16(parent)
    difference: Floats = child.astype(np.float32).astype(np.float64) - parent.astype(np.float32)
    return difference


@pytest.mark.parametrize("shape", [(64, 48), (128, 128), (256, 200), (300, 700), (700, 300)])
@pytest.mark.parametrize(("roundoff", "share"), [(FLOAT32, 0.01), (BFLOAT16, 0.2)])
@pytest.mark.parametrize("rank", [1, 4, 16])
def test_the_rank_of_a_stored_adapter(
    shape: tuple[int, int], roundoff: float, share: float, rank: int
) -> None:
    """Rounding makes every delta full; numpy's own tolerance sees that and nothing else."""
    delta = store(*shape, rank, share=share, roundoff=roundoff)
    assert np.linalg.matrix_rank(delta) == min(shape)
    assert calculate_delta_rank(delta, noise=roundoff) == rank


@pytest.mark.parametrize("size", [64, 150, 256, 400])
def test_a_full_delta_has_no_low_rank(size: int) -> None:
    delta = np.random.default_rng(0).standard_normal((size, size))
    assert calculate_delta_rank(delta, noise=1e-7) is None


@pytest.mark.parametrize("shape", [(64, 64), (40, 90), (90, 40), (192, 150)])
@pytest.mark.parametrize("share", [1e-3, 1.0])
def test_a_full_rank_is_proven_without_a_decomposition(
    shape: tuple[int, int], share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = share * np.random.default_rng(0).standard_normal((2, *shape))
    monkeypatch.setattr(np.linalg, "svd", None)
    assert calculate_delta_ranks(delta, noise=np.full(2, FLOAT32)) == [None, None]


@given(rank=st.integers(0, 40), size=st.integers(1, 40), noise=st.sampled_from([0.0, 1e-9, 1e-2]))
@settings(max_examples=60)
def test_what_is_not_proven_is_decomposed(rank: int, size: int, noise: float) -> None:
    rng = np.random.default_rng(rank)
    delta = draw_low_rank(40, size, max(rank, 1), seed=rank) * (rank > 0)
    delta += noise * rng.standard_normal((40, size))
    values = np.linalg.svd(delta, compute_uv=False)
    expected = int((values > 1.5 * max(noise, 1e-12) * (np.sqrt(40) + np.sqrt(size))).sum())
    found = calculate_delta_rank(delta, noise=max(noise, 1e-12))
    assert found == (expected if expected <= int(0.6 * size) else None)


def test_low_is_up_to_three_fifths() -> None:
    """Of the smaller side, 50."""
    for rank, expected in ((30, 30), (31, None)):
        delta = draw_low_rank(80, 50, rank, seed=1)
        assert calculate_delta_rank(delta, noise=1e-9) == expected


def test_large_matrices_are_probed_up_to_a_width() -> None:
    for rank, expected in ((39, 39), (60, 60), (135, 135), (140, None)):
        delta = draw_low_rank(300, 260, rank, seed=2)
        assert calculate_delta_rank(delta, noise=1e-9) == expected


def test_rounding_alone_has_no_rank() -> None:
    parent = np.random.default_rng(0).standard_normal((100, 100))
    assert calculate_delta_rank(round_bfloat16(parent) - parent, noise=BFLOAT16) == 0


def test_the_precision_of_the_delta_does_not_matter() -> None:
    delta = draw_low_rank(300, 260, 8, seed=2).astype(np.float32)
    assert calculate_delta_rank(delta, noise=1e-6) == 8


@given(st.integers(1, 20), st.floats(1e-6, 1e6), st.booleans())
@settings(max_examples=25, deadline=None)
def test_scale_and_transposition_do_not_matter(rank: int, scale: float, turned: bool) -> None:
    delta = draw_low_rank(70, 40, rank, seed=rank) * scale
    delta = delta.T if turned else delta
    assert calculate_delta_rank(delta, noise=1e-9 * scale) == rank


@pytest.mark.parametrize("scale", [1e-150, 1e-40, 1e-20, 1e20, 1e40, 1e150])
@pytest.mark.parametrize("noise", [1e-12, 1e-4])
def test_large_matrices_may_have_any_scale(scale: float, noise: float) -> None:
    """Single precision holds neither the largest nor the smallest of these."""
    delta = draw_low_rank(300, 250, 9, seed=3)
    assert calculate_delta_rank(delta * scale, noise=noise * scale) == 9


@pytest.mark.parametrize("noise", [0.0, 1e-13, 1e-9, 1e-6])
def test_directions_that_differ_much_in_size_all_count(noise: float) -> None:
    rng = np.random.default_rng(4)
    left, right = (np.linalg.qr(rng.standard_normal((n, 12)))[0] for n in (400, 300))
    sizes = np.geomspace(1.0, 1e-3, 12)
    delta = (left * sizes) @ right.T + noise * rng.standard_normal((400, 300))
    assert calculate_delta_rank(delta, noise=max(noise, 1e-15)) == 12


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (10, 6)])
def test_top_directions_are_those_of_the_full_decomposition(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    decay = 0.7 ** np.arange(min(shape))
    left = np.linalg.qr(rng.standard_normal((shape[0], min(shape))))[0]
    right = np.linalg.qr(rng.standard_normal((shape[1], min(shape))))[0]
    u, v = top_singular_vectors((left * decay) @ right.T, 4)
    assert (u.shape, v.shape) == ((shape[0], 4), (shape[1], 4))
    for found, true in ((u, left), (v, right)):
        np.testing.assert_allclose(np.abs(found.T @ true[:, :4]), np.eye(4), atol=1e-6)


def test_no_more_directions_than_there_are() -> None:
    u, v = top_singular_vectors(np.random.default_rng(0).standard_normal((5, 3)), 16)
    assert (u.shape, v.shape) == ((5, 3), (3, 3))


def test_the_range_holds_a_low_rank_delta_whole() -> None:
    delta = draw_low_rank(200, 120, 10, seed=4)
    basis = find_range(delta, 12, rounds=1)
    np.testing.assert_allclose(basis.T @ basis, np.eye(12), atol=1e-12)
    np.testing.assert_allclose(basis @ (basis.T @ delta), delta, atol=1e-9)
    np.testing.assert_array_equal(basis, find_range(delta.copy(), 12, rounds=1))
