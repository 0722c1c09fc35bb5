"""Gains and distances of two members against naive formulas."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, fields

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering import sample_stacks
from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.pair_cache import PairCache
from model_heritage_backend.clustering.pair_statistics import (
    CAP,
    ROW_SHARE,
    SPECTRA,
    AllPairs,
    calculate_gains,
    measure_details,
    measure_tails,
)
from model_heritage_backend.clustering.sample_stacks import Places
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import (
    Arrays,
    Floats,
    align,
    find_matrices,
    make_model,
    rename_arrays,
)
from tests.clustering.models import add_noise

BASE = make_model(1)
MATRIX_VALUES = sum(array.size for array in BASE.values() if array.ndim == 2)


@dataclass(frozen=True)
class Pair:
    """Of two models: what arrays hold for a family."""

    squared_distance: float
    squared_norm: float
    distance: float
    values: float
    equal: float
    plain_gain: float
    gain: float


def compare(first: Arrays, second: Arrays, *, spectra: int = SPECTRA) -> Pair:
    family = align({"first": first, "second": second})
    found = AllPairs.measure(family, (0, 1))
    (detail,) = measure_details(family, [(0, 1)], spectra=spectra)
    gains = calculate_gains(found, {(0, 1): detail})
    arrays = (
        found.squared_distances,
        found.squared_norms,
        found.distances,
        found.values,
        found.equal,
        found.plain_gains,
        gains,
    )
    for array in arrays:
        np.testing.assert_array_equal(array, array.T)
    return Pair(*(float(array[0, 1]) for array in arrays))


def without_vectors(arrays: Arrays) -> dict[str, Floats]:
    return {name: array for name, array in arrays.items() if array.ndim >= 2}


def naive_row_gain(first: Floats, second: Floats) -> float:
    """Mean over rows of -1/2 ln(1 - cos^2), in nats per value."""
    gains = []
    for x, y in zip(first, second, strict=True):
        cosine = x @ y / np.linalg.norm(x) / np.linalg.norm(y)
        gains.append(-0.5 * math.log(1 - cosine**2))
    return float(np.mean(gains))


def naive_spectral_gain(first: Floats, second: Floats) -> float:
    """Mean over the lowest 1/8, 2/8, ... 8/8 of -1/2 ln(mean energy / variance of the weights)."""
    variance = ((first**2).mean() + (second**2).mean()) / 2
    delta = second - first
    energies = np.sort(scipy.linalg.svdvals(delta) ** 2) / max(delta.shape)
    parts = [energies[: len(energies) * eighths // 8] for eighths in range(1, 9)]
    shares = [max(float(part.mean()) / variance, 2.0**-48) for part in parts]
    return float(np.mean([min(-0.5 * math.log(share), CAP) for share in shares]))


def get_tails(first: Floats, second: Floats) -> float:
    squares = np.array([(first**2).sum() + (second**2).sum()])
    return float(measure_tails((second - first)[None], squares).mean())


def test_figures_are_those_of_the_formulas() -> None:
    first, second = (without_vectors(a) for a in (BASE, add_noise(BASE, share=0.3, seed=1)))
    found = compare(first, second)
    x, y = find_matrices(first), find_matrices(second)
    sizes = {name: matrix.size for name, matrix in x.items()}
    squared = sum(((y[name] - x[name]) ** 2).sum() for name in x)
    norms = sum((x[name] ** 2).sum() + (y[name] ** 2).sum() for name in x) / 2
    assert found.squared_distance == pytest.approx(squared)
    assert found.squared_norm == pytest.approx(norms)
    assert found.distance == pytest.approx(math.sqrt(squared / norms))
    rows = sum(sizes[n] * naive_row_gain(x[n], y[n]) for n in x)
    spectral = sum(sizes[name] * naive_spectral_gain(x[name], y[name]) for name in x)
    assert found.gain == pytest.approx(spectral + ROW_SHARE * rows)
    squares = {n: (x[n] ** 2).sum() / 2 + (y[n] ** 2).sum() / 2 for n in x}
    plain = sum(sizes[n] / 2 * math.log(squares[n] / ((y[n] - x[n]) ** 2).sum()) for n in x)
    assert found.plain_gain == pytest.approx(plain)
    assert (found.values, found.equal) == (sum(sizes.values()), 0)


def test_a_sample_stands_for_its_matrix() -> None:
    """Of 200 x 100 values 64 x 64 are known; the share of size is put right."""
    rng = np.random.default_rng(0)
    first: Floats = rng.standard_normal((200, 100))
    second: Floats = first + 0.1 * rng.standard_normal((200, 100))
    found = compare({"w": first}, {"w": second})
    assert found.values == 20_000
    assert found.squared_distance == pytest.approx(((second - first) ** 2).sum(), rel=0.1)
    assert found.squared_norm == pytest.approx((first**2).sum(), rel=0.1)
    family = align({"a": {"w": first}, "b": {"w": second}})
    tensor = family.tensors[0]["w"]
    delta = (second - first)[np.ix_(tensor.rows, tensor.columns)]
    assert found.squared_distance == pytest.approx((delta**2).sum() * 20_000 / delta.size)


def test_equal_models_have_the_full_gain() -> None:
    found = compare(BASE, rename_arrays(BASE, "module."))
    vectors = sum(array.size for array in BASE.values() if array.ndim == 1)
    assert found.gain == pytest.approx((1 + ROW_SHARE) * CAP * (MATRIX_VALUES + vectors))
    assert found.values == found.equal == MATRIX_VALUES
    assert (found.distance, found.squared_distance) == (0.0, 0.0)


def test_the_nearer_relative_gains_more() -> None:
    steps = [0.001, 0.01, 0.1, 0.5]
    pairs = [compare(BASE, add_noise(BASE, share=step, seed=1)) for step in steps]
    gains = [pair.gain for pair in pairs]
    assert gains == sorted(gains, reverse=True)
    assert [p.distance for p in pairs] == pytest.approx(steps, rel=0.15)
    assert compare(BASE, make_model(2)).gain < gains[-1] / 3, "a stranger"


def test_the_row_gain_is_blind_to_shrinkage() -> None:
    """Weight decay: all rows keep their directions."""
    base = without_vectors(BASE)
    found = compare(base, {name: 0.9 * array for name, array in base.items()})
    assert found.gain > ROW_SHARE * CAP * MATRIX_VALUES
    assert found.distance == pytest.approx(0.1 / math.sqrt((1 + 0.81) / 2), rel=1e-4)


def test_a_delta_of_low_rank_has_an_empty_tail() -> None:
    """A LoRA child and a fully tuned one at the same distance: the first is much nearer."""
    base = without_vectors(BASE)
    low = compare(base, add_noise(base, share=0.3, seed=1, rank=2))
    full = compare(base, add_noise(base, share=0.3, seed=1))
    assert low.distance == pytest.approx(full.distance, rel=0.05)
    assert low.gain > 4 * full.gain


def test_siblings_share_no_tail() -> None:
    r"""Both children drifted the same way, so they are nearer to each other than to the parent.

    base ─┬─ first = base + drift + noise
          └─ second = base + drift + other noise
    """
    base = without_vectors(BASE)
    drifted = add_noise(base, share=0.2, seed=1, rank=1)
    first, second = (add_noise(drifted, share=0.05, seed=seed) for seed in (2, 3))
    to_parent, to_sibling = compare(base, first), compare(first, second)
    assert to_sibling.distance < 0.5 * to_parent.distance
    x, y, z = (find_matrices(model) for model in (base, first, second))
    for name in x:
        assert get_tails(x[name], y[name]) == pytest.approx(naive_spectral_gain(x[name], y[name]))
        assert get_tails(x[name], y[name]) > get_tails(y[name], z[name])


def test_matrices_of_other_shapes_give_nothing() -> None:
    base = without_vectors(BASE)
    other = {**add_noise(base, share=0.1, seed=1), "head.weight": np.ones((5, 24), np.float32)}
    plain = compare({**base, "head.weight": np.ones((9, 24), np.float32)}, other)
    assert plain.values == MATRIX_VALUES
    nothing = compare(base, {"w": np.ones((7, 7), np.float32)})
    assert (nothing.gain, nothing.distance, nothing.values) == (0.0, 0.0, 0)


def test_biases_tell_models_apart_that_share_every_matrix() -> None:
    moved = {
        name: array + np.float32(0.01) if array.ndim == 1 else array for name, array in BASE.items()
    }
    found = compare(BASE, moved)
    assert found.equal == MATRIX_VALUES
    equal = compare(BASE, dict(BASE))
    assert found.plain_gain == equal.plain_gain
    assert (1 + ROW_SHARE) * CAP * MATRIX_VALUES < found.gain < equal.gain


def test_empty_rows_and_zero_matrices() -> None:
    """Zero rows of both match, those of one do not; nothing is divided by zero."""
    base = {"w": BASE["blocks.0.attention.weight"].copy()}
    base["w"][:12] = 0.0
    child = {"w": base["w"] + np.float32(0)}
    child["w"][12:18] = 0.0
    found = compare(base, child)
    x, y = (arrays["w"].astype(np.float64) for arrays in (base, child))
    spectral = naive_spectral_gain(x, y)
    assert found.gain == pytest.approx(found.values * (spectral + ROW_SHARE * CAP * 18 / 24))
    zeros = {"w": np.zeros((24, 24), np.float32)}
    nothing = compare(zeros, base)
    assert math.isfinite(nothing.gain)
    assert nothing.distance == pytest.approx(math.sqrt(2))
    assert compare(zeros, {"w": np.zeros((24, 24))}).distance == 0.0


@given(st.floats(1e-4, 2.0), st.integers(0, 99), st.sampled_from([None, 1, 4]))
@settings(max_examples=25, deadline=None)
def test_laws_of_pairs(share: float, seed: int, rank: int | None) -> None:
    """Symmetric, blind to a common scale, gains within their limits."""
    child = add_noise(BASE, share=share, seed=seed, rank=rank)
    found = compare(BASE, child)
    assert vars(compare(child, BASE)) == pytest.approx(vars(found))
    limit = CAP * sum(array.size for array in BASE.values())
    assert 0.0 <= (1 + ROW_SHARE) * found.plain_gain <= found.gain * (1 + 1e-9)
    assert found.gain <= (1 + ROW_SHARE) * limit
    double = [{name: 4 * array for name, array in arrays.items()} for arrays in (BASE, child)]
    scaled = compare(*double)
    assert scaled.distance == pytest.approx(found.distance)
    assert scaled.gain == pytest.approx(found.gain)


def test_of_many_matrices_a_part_is_looked_at() -> None:
    """What it adds is taken for the rest; unchanged matrices need no look."""
    rng = np.random.default_rng(0)
    base = {f"w{i}": rng.standard_normal((24, 24)) for i in range(12)}
    child = add_noise(base, share=0.1, seed=1)
    for name in ("w3", "w4", "w5"):
        child[name] = base[name]
    whole = compare(base, child)
    assert compare(base, child, spectra=9) == whole
    part = compare(base, child, spectra=4)
    assert part.gain == pytest.approx(whole.gain, rel=0.02)
    assert part.gain != whole.gain


def test_a_look_at_a_pair_does_not_depend_on_the_others(
    family_prints: dict[str, Fingerprint],
) -> None:
    family = AlignedFamily.build(family_prints)
    pairs = list(itertools.combinations(range(len(family)), 2))
    together = measure_details(family, pairs)
    assert together == [measure_details(family, [pair])[0] for pair in pairs]


def test_what_is_known_of_a_smaller_family_is_not_measured_again(
    family_prints: dict[str, Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the figures are those of the whole family, to the last bit, whoever comes last."""
    family = AlignedFamily.build(family_prints)
    whole = AllPairs.measure(family, range(len(family)))
    square, asked = sample_stacks.square_deltas, []

    def count(x: Floats, y: Floats, i: Places, j: Places) -> Floats:
        asked.append(len(i))
        return square(x, y, i, j)

    for newcomer in sorted(family_prints):
        cache = PairCache()
        smaller = AlignedFamily.build({i: f for i, f in family_prints.items() if i != newcomer})
        cache.measure_statistics(smaller, range(len(smaller)))
        with monkeypatch.context() as patch:
            patch.setattr(sample_stacks, "square_deltas", count)
            found = cache.measure_statistics(family, range(len(family)))
        assert 0 < max(asked) <= len(family)
        for field in fields(AllPairs):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(whole, field.name))
