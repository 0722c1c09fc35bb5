"""Siblings strung up in a chain: what tells them from a true chain, and the repair."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import scipy.linalg

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.orientation import Orientation
from model_heritage_backend.clustering.siblings import Tau, calculate_tau, find_siblings
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import Arrays, align, find_matrices, find_places, make_model
from tests.clustering.models import add_noise

BASE = make_model(1)
CHAIN, SIBLINGS = Tau(1.0, 1.0), Tau(0.2, 0.1)


def measure(models: Mapping[str, Arrays]) -> Tau:
    """Of the grandparent "a", the parent "b" and the child "c"."""
    family = align(models)
    places = find_places(family)
    return calculate_tau(family, places["a"], places["b"], places["c"])


def test_figures_are_those_of_the_formulas() -> None:
    """Whitening by the inverse root of the mixed energy of both steps, on the smaller side."""
    b = add_noise(BASE, share=0.3, seed=1)
    c = add_noise(b, share=0.2, seed=2)
    found = measure({"a": BASE, "b": b, "c": c})
    products, squares = np.zeros(2), np.zeros(2)
    x, y, z = (find_matrices(arrays) for arrays in (BASE, b, c))
    for name, matrix in x.items():
        to_b, to_c = y[name] - matrix, z[name] - matrix
        if len(matrix) > matrix.shape[1]:
            to_b, to_c = to_b.T, to_c.T
        mixed = to_b @ to_b.T / (to_b**2).mean() + to_c @ to_c.T / (to_c**2).mean()
        inverse = np.linalg.inv(scipy.linalg.sqrtm(mixed))
        for place, (u, v) in enumerate(((to_b, to_c), (inverse @ to_b, inverse @ to_c))):
            products[place] += (u * v).sum() / (v**2).mean()
            squares[place] += (u * u).sum() / (v**2).mean()
    assert [found.plain, found.whitened] == pytest.approx(products / squares)


def test_a_true_chain() -> None:
    """a ── b ── c: c's own step knows nothing of b's."""
    b = add_noise(BASE, share=0.2, seed=1)
    tau = measure({"a": BASE, "b": b, "c": add_noise(b, share=0.2, seed=2)})
    assert tau.plain == pytest.approx(1.0, abs=0.1)
    assert tau.whitened > 0.5
    assert not tau.siblings


def test_independent_siblings() -> None:
    tau = measure(
        {"a": BASE, **{n: add_noise(BASE, share=0.2, seed=i) for i, n in enumerate("bc")}}
    )
    assert abs(tau.plain) < 0.1
    assert abs(tau.whitened) < 0.1
    assert tau.siblings


def test_siblings_that_drifted_together() -> None:
    r"""a ─┬─ b = a + drift + noise       plainly, c looks as if it had gone on from b
    └─ c = a + drift + other noise
    """
    drifted = add_noise(BASE, share=0.2, seed=1, rank=1)
    models = {name: add_noise(drifted, share=0.03, seed=seed) for seed, name in enumerate("bc", 2)}
    tau = measure({"a": BASE, **models})
    assert tau.plain > 0.9
    assert tau.whitened < 0.1
    assert tau.siblings


def test_nothing_to_measure_is_a_chain() -> None:
    """No step, or no matrix that all three share: nobody is moved without evidence."""
    moved = add_noise(BASE, share=0.1, seed=1)
    assert measure({"a": BASE, "b": dict(BASE), "c": moved}) == Tau(1.0, 1.0)
    assert measure({"a": BASE, "b": moved, "c": {"w": np.ones((9, 9))}}) == Tau(1.0, 1.0)


def test_either_limit_is_enough() -> None:
    assert Tau(0.59, 0.9).siblings
    assert Tau(0.9, 0.14).siblings
    assert not Tau(0.61, 0.16).siblings


def repair(
    parents: Mapping[int, int],
    tau: Callable[[int, int, int], Tau],
    *,
    fixed: tuple[int, ...] = (),
    posterior: tuple[float, ...] | None = None,
) -> dict[int, int]:
    """Members are numbered such that parents come before children, from the root 0."""
    size = len(parents) + 1
    weights = np.array(posterior or (1.0,) + (0.0,) * (size - 1))
    orientation = Orientation(0, parents, tuple(range(size)), weights)
    return find_siblings(orientation, tau, fixed=fixed)


def test_a_sibling_moves_to_its_grandparent() -> None:
    """0 ── 1 ─┬─ 2      becomes    0 ─┬─ 1 ── 3
    └─ 3                    └─ 2
    """

    def tau(a: int, b: int, c: int) -> Tau:
        assert (a, b) == (0, 1)
        return SIBLINGS if c == 2 else CHAIN

    assert repair({1: 0, 2: 1, 3: 1}, tau) == {1: 0, 2: 0, 3: 1}


def test_the_repair_goes_down_the_line() -> None:
    """0 ── 1 ── 2 ── 3, all of them siblings: each is asked about its new parent's parent."""
    asked = []

    def tau(a: int, b: int, c: int) -> Tau:
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


@pytest.mark.parametrize(("certainty", "moved"), [(0.79, False), (0.81, True)])
def test_an_uncertain_root_leaves_chains_alone(certainty: float, *, moved: bool) -> None:
    """The root may be 1, and then 0 and 2 are its children."""
    found = repair({1: 0, 2: 1}, lambda *_: SIBLINGS, posterior=(certainty, 1 - certainty, 0.0))
    assert found == {1: 0, 2: 0 if moved else 1}


def test_real_siblings_and_real_chains(family_prints: dict[str, Fingerprint]) -> None:
    """base ─┬─ rotated ── rotated-last-layers
    └─ noisy ── noisy-odd ── noisy-odd-lora
    """
    family = AlignedFamily.build(family_prints)
    places = find_places(family)

    def tau(*names: str) -> Tau:
        return calculate_tau(family, *(places[name] for name in names))

    assert not tau("base", "rotated", "rotated-last-layers").siblings
    assert not tau("base", "noisy", "noisy-odd").siblings
    assert not tau("noisy", "noisy-odd", "noisy-odd-lora").siblings
    assert tau("base", "noisy", "rotated").siblings
    assert tau("base", "inverted-lora", "noisy").siblings
