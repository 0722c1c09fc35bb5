"""Whitened steps: the formula, what drift weighs in them, and real siblings and chains."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
import scipy.linalg

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.siblings import SIBLINGS_BELOW
from model_heritage_backend.clustering.whitening import WhitenedSteps, _invert_root
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import (
    Arrays,
    Floats,
    align,
    find_matrices,
    find_places,
    make_model,
)
from tests.clustering.models import add_noise

BASE = make_model(1)
LARGE = make_model(2, width=80)
"""Its wider matrices have 160 x 80 values: more than the ordinary sample holds."""


def measure(models: Mapping[str, Arrays], *, wide: bool = False) -> WhitenedSteps:
    """Whitened by all pairs. The members' places are those of their ids in order of checksums."""
    family = align(models)
    pairs = list(itertools.combinations(range(len(family)), 2))
    return WhitenedSteps.measure(family, range(len(family)), pairs, wide=wide)


def measure_tau(models: Mapping[str, Arrays], *, wide: bool = False) -> float | None:
    """Of the grandparent "a", the parent "b" and the child "c"."""
    places = find_places(align(models))
    return measure(models, wide=wide).calculate_tau(*(places[name] for name in "abc"))


def whiten(covariance: Floats, samples: int) -> Floats:
    size = len(covariance)
    energy = np.trace(covariance) / size
    root = scipy.linalg.sqrtm(covariance + (size / samples) ** 2 * energy * np.eye(size))
    return np.asarray(scipy.linalg.inv(root))


@pytest.mark.parametrize(("base", "wide"), [(BASE, False), (LARGE, True)])
def test_tau_is_that_of_the_formula(base: Arrays, *, wide: bool) -> None:
    """Whitened over rows and over columns by the steps, each counting the same."""
    b = add_noise(base, share=0.3, seed=1)
    c = add_noise(b, share=0.2, seed=2)
    product = square = 0.0
    x, y, z = (find_matrices(arrays) for arrays in (base, b, c))
    for name, matrix in x.items():
        steps = [y[name] - matrix, z[name] - matrix, z[name] - y[name]]
        units = [step / np.sqrt((step**2).mean()) for step in steps]
        rows, columns = (
            whiten(sum(u @ u.T for u in sides) / 3, 2 * sides[0].shape[1])
            for sides in (units, [u.T for u in units])
        )
        to_b, to_c = (rows @ step @ columns for step in steps[:2])
        product += matrix.size * (to_b * to_c).sum() / (to_c**2).sum()
        square += matrix.size * (to_b**2).sum() / (to_c**2).sum()
    found = measure_tau({"a": base, "b": b, "c": c}, wide=wide)
    assert found == pytest.approx(product / square, rel=1e-5)


def test_a_true_chain() -> None:
    """a ── b ── c: c's own step knows nothing of b's."""
    b = add_noise(BASE, share=0.2, seed=1)
    for seed, share in enumerate((0.05, 0.2), 2):
        tau = measure_tau({"a": BASE, "b": b, "c": add_noise(b, share=share, seed=seed)})
        assert tau is not None
        assert SIBLINGS_BELOW < tau < 1.1


def test_independent_siblings() -> None:
    models = {"a": BASE, **{n: add_noise(BASE, share=0.2, seed=i) for i, n in enumerate("bc")}}
    tau = measure_tau(models)
    assert tau is not None
    assert abs(tau) < 0.45


@pytest.mark.parametrize(("base", "wide"), [(BASE, False), (LARGE, True)])
def test_siblings_that_drifted_together(base: Arrays, *, wide: bool) -> None:
    r"""a ─┬─ b = a + drift + noise       plainly, c looks as if it had gone on from b
    └─ c = a + drift + other noise
    """
    drifted = add_noise(base, share=0.2, seed=1, rank=1)
    models = {name: add_noise(drifted, share=0.03, seed=seed) for seed, name in enumerate("bc", 2)}
    tau = measure_tau({"a": base, **models}, wide=wide)
    assert tau is not None
    assert tau < SIBLINGS_BELOW


def test_there_is_nothing_to_say_of_matrices_that_stood_still() -> None:
    moved = add_noise(BASE, share=0.1, seed=1)
    assert measure_tau({"a": BASE, "b": dict(BASE), "c": moved}) is None
    assert measure_tau({"a": BASE, "b": moved, "c": {"w": np.ones((9, 9))}}) is None
    assert measure_tau({"a": BASE, "b": moved, "c": moved}, wide=True) is None, "no wide sample"


def test_gains_are_nats_per_value() -> None:
    """Of 1/100 of the distance, ln 100 more; models without a common matrix have none."""
    near, far = (add_noise(BASE, share=share, seed=1) for share in (1e-3, 1e-1))
    models = {"a": BASE, "near": near, "far": far, "other": {"w": np.eye(9), "v": np.eye(9)}}
    places = find_places(align(models))
    gains = measure(models).calculate_gains(12.0)
    base = gains[places["a"]]
    assert base[places["near"]] - base[places["far"]] == pytest.approx(np.log(100), abs=0.02)
    assert base[places["a"]] == 12.0
    assert np.isnan(base[places["other"]])
    np.testing.assert_array_equal(gains, gains.T)


def test_matrices_of_an_unusual_shape_are_left_out() -> None:
    """A vocabulary that only one member extended is not compared; the rest of the member is."""
    tokens = np.random.default_rng(0).standard_normal((30, 24)).astype(np.float32)
    models = {
        n: add_noise({**BASE, "t.weight": tokens}, share=0.1, seed=i) for i, n in enumerate("ab")
    }
    models["c"] = {
        **add_noise(BASE, share=0.1, seed=5),
        "t.weight": np.vstack([tokens, tokens[:4]]),
    }
    places = find_places(align(models))
    steps = measure(models)
    known = np.isfinite(steps.squares[:, places["a"], places["c"]])
    assert known.sum() == len(steps.sizes) - 1
    assert np.isfinite(steps.squares[:, places["a"], places["b"]]).all()


def test_real_siblings_and_real_chains(family_prints: dict[str, Fingerprint]) -> None:
    """base ─┬─ rotated ── rotated-last-layers
    └─ noisy ── noisy-odd ── noisy-odd-lora
    """
    family = AlignedFamily.build(family_prints)
    places = find_places(family)
    true = (
        ("base", "rotated"),
        ("base", "noisy"),
        ("rotated", "rotated-last-layers"),
        ("noisy", "noisy-odd"),
        ("noisy-odd", "noisy-odd-lora"),
    )
    pairs = [(places[a], places[b]) for a, b in true]
    steps = WhitenedSteps.measure(family, range(len(family)), pairs, wide=False)

    def looks_like_a_chain(*names: str) -> bool:
        tau = steps.calculate_tau(*(places[name] for name in names))
        assert tau is not None
        return tau >= SIBLINGS_BELOW

    assert looks_like_a_chain("base", "rotated", "rotated-last-layers")
    assert looks_like_a_chain("base", "noisy", "noisy-odd")
    assert looks_like_a_chain("noisy", "noisy-odd", "noisy-odd-lora")
    assert not looks_like_a_chain("base", "noisy", "rotated")
    assert not looks_like_a_chain("base", "inverted-lora", "noisy")


def test_empty_directions_may_come_out_below_zero() -> None:
    """By rounding; they count as empty, and the root is still one."""
    directions = np.linalg.qr(np.random.default_rng(0).standard_normal((8, 8)))[0]
    energies = np.array([-1e-3, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0])
    covariance = directions * energies @ directions.T
    inverse = _invert_root(covariance, 8000)
    doubt = (8 / 8000) ** 2 * np.trace(covariance) / 8
    expected = directions / (np.maximum(energies, 0.0) + doubt) @ directions.T
    np.testing.assert_allclose(inverse.T @ inverse, expected, rtol=1e-6, atol=1e-3)
