"""Siblings strung up in a chain: what tells them from a true chain, and the repair."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import scipy.linalg

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.orientation import Orientation
from model_heritage_backend.clustering.siblings import (
    SHRINKAGE,
    SIBLINGS_BELOW,
    WhitenedSteps,
    find_siblings,
)
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
CHAIN, SIBLINGS = 1.0, 0.2


def measure(models: Mapping[str, Arrays]) -> float:
    """Of the grandparent "a", the parent "b" and the child "c"."""
    family = align(models)
    places = find_places(family)
    steps = WhitenedSteps.fit(family, list(itertools.combinations(range(len(family)), 2)))
    return steps.calculate_tau(places["a"], places["b"], places["c"])


def test_tau_is_that_of_the_formula() -> None:
    """Whitened over rows and over columns by the steps, each counting the same."""
    b = add_noise(BASE, share=0.3, seed=1)
    c = add_noise(b, share=0.2, seed=2)
    product = square = 0.0
    x, y, z = (find_matrices(arrays) for arrays in (BASE, b, c))
    for name, matrix in x.items():
        steps = [y[name] - matrix, z[name] - matrix, z[name] - y[name]]
        units = [step / np.sqrt((step**2).mean()) for step in steps]
        rows, columns = (
            whiten(sum(u @ u.T for u in sides), 2 * sides[0].shape[1])
            for sides in (units, [u.T for u in units])
        )
        to_b, to_c = (rows @ step @ columns for step in steps[:2])
        product += matrix.size * (to_b * to_c).sum() / (to_c**2).sum()
        square += matrix.size * (to_b**2).sum() / (to_c**2).sum()
    assert measure({"a": BASE, "b": b, "c": c}) == pytest.approx(product / square, rel=1e-6)


def whiten(covariance: Floats, samples: int) -> Floats:
    size = len(covariance)
    energy = np.trace(covariance) / size
    root = scipy.linalg.sqrtm(covariance + SHRINKAGE * size / samples * energy * np.eye(size))
    return np.asarray(scipy.linalg.inv(root))


def test_a_true_chain() -> None:
    """a ── b ── c: c's own step knows nothing of b's."""
    b = add_noise(BASE, share=0.2, seed=1)
    for seed, share in enumerate((0.05, 0.2), 2):
        models = {"a": BASE, "b": b, "c": add_noise(b, share=share, seed=seed)}
        assert SIBLINGS_BELOW < measure(models) < 1.1


def test_independent_siblings() -> None:
    models = {"a": BASE, **{n: add_noise(BASE, share=0.2, seed=i) for i, n in enumerate("bc")}}
    assert abs(measure(models)) < 0.4


def test_siblings_that_drifted_together() -> None:
    r"""a ─┬─ b = a + drift + noise       plainly, c looks as if it had gone on from b
    └─ c = a + drift + other noise
    """
    drifted = add_noise(BASE, share=0.2, seed=1, rank=1)
    models = {name: add_noise(drifted, share=0.03, seed=seed) for seed, name in enumerate("bc", 2)}
    assert measure({"a": BASE, **models}) < SIBLINGS_BELOW


def test_nothing_to_measure_is_a_chain() -> None:
    """No step, or no matrix that all three share: nobody is moved without evidence."""
    moved = add_noise(BASE, share=0.1, seed=1)
    assert measure({"a": BASE, "b": dict(BASE), "c": moved}) == 1.0
    assert measure({"a": BASE, "b": moved, "c": {"w": np.ones((9, 9))}}) == 1.0


def repair(
    parents: Mapping[int, int],
    tau: Callable[[int, int, int], float],
    *,
    fixed: tuple[int, ...] = (),
) -> dict[int, int]:
    """Members are numbered such that parents come before children, from the root 0."""
    size = len(parents) + 1
    orientation = Orientation(0, parents, tuple(range(size)), np.eye(size)[0])
    return find_siblings(orientation, tau, fixed=fixed)


def test_a_sibling_moves_to_its_grandparent() -> None:
    """0 ── 1 ─┬─ 2      becomes    0 ─┬─ 1 ── 3
    └─ 3                    └─ 2
    """

    def tau(a: int, b: int, c: int) -> float:
        assert (a, b) == (0, 1)
        return SIBLINGS if c == 2 else CHAIN

    assert repair({1: 0, 2: 1, 3: 1}, tau) == {1: 0, 2: 0, 3: 1}


def test_the_repair_goes_down_the_line() -> None:
    """0 ── 1 ── 2 ── 3, all of them siblings: each is asked about its new parent's parent."""
    asked = []

    def tau(a: int, b: int, c: int) -> float:
        asked.append((a, b, c))
        return SIBLINGS

    assert repair({1: 0, 2: 1, 3: 2}, tau) == {1: 0, 2: 0, 3: 0}
    assert asked == [(0, 1, 2), (0, 2, 3)]


def test_a_chain_stays_as_it_is() -> None:
    parents = {1: 0, 2: 1, 3: 2}
    assert repair(parents, lambda *_: CHAIN) == parents


def test_proven_members_stay() -> None:
    """Neither a copy or merge, nor the child of one, is moved."""
    parents = {1: 0, 2: 1, 3: 2}
    assert repair(parents, lambda *_: SIBLINGS, fixed=(2,)) == parents
    assert repair(parents, lambda *_: SIBLINGS, fixed=(1,)) == {1: 0, 2: 1, 3: 1}


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
    steps = WhitenedSteps.fit(family, [(places[a], places[b]) for a, b in true])

    def looks_like_a_chain(*names: str) -> bool:
        return steps.calculate_tau(*(places[name] for name in names)) >= SIBLINGS_BELOW

    assert looks_like_a_chain("base", "rotated", "rotated-last-layers")
    assert looks_like_a_chain("base", "noisy", "noisy-odd")
    assert looks_like_a_chain("noisy", "noisy-odd", "noisy-odd-lora")
    assert not looks_like_a_chain("base", "noisy", "rotated")
    assert not looks_like_a_chain("base", "inverted-lora", "noisy")
