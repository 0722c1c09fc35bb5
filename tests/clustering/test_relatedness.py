"""The test of relatedness against its formula, on strangers and on real relatives."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering.relatedness import (
    Relatedness,
    calculate_relatedness,
    find_components,
)
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import Arrays, find_matrices, make_model, rename_arrays
from tests.clustering.models import add_noise, fingerprint_arrays, make_arrays

BASE = make_model(1)


def test_figures_are_those_of_the_formula() -> None:
    """z = sum(r n) / sqrt(sum n) and rho = sum(r n) / sum(n), r being numpy's correlation."""
    child = add_noise(BASE, share=0.8, seed=1)
    found = calculate_relatedness([fingerprint_arrays(BASE)], [fingerprint_arrays(child)])
    first, second = find_matrices(BASE), find_matrices(child)
    counts = np.array([m.size for m in first.values()])
    assert counts.max() <= 2048, "all values take part"
    r = [np.corrcoef(first[name].ravel(), second[name].ravel())[0, 1] for name in first]
    assert found.z[0, 0] == pytest.approx(counts @ r / np.sqrt(counts.sum()), rel=1e-5)
    assert found.correlation[0, 0] == pytest.approx(counts @ r / counts.sum(), rel=1e-5)
    assert found.related[0, 0]


def test_large_matrices_take_part_with_two_thousand_values() -> None:
    rng = np.random.default_rng(2)
    one = fingerprint_arrays({"w": rng.standard_normal((64, 64)).astype(np.float32)})
    found = calculate_relatedness([one], [one])
    assert found.correlation[0, 0] == pytest.approx(1.0)
    assert found.z[0, 0] == pytest.approx(np.sqrt(2048))


def test_both_limits_count() -> None:
    """A huge model that is correlated by 2 % shares a habit, not an ancestor."""
    z = np.array([[8.1, 8.1, 7.9]])
    correlation = np.array([[0.04, 0.02, 0.9]])
    assert Relatedness(z, correlation).related.tolist() == [[True, False, False]]


def test_strangers_are_near_zero() -> None:
    """z of 45 pairs of strangers is a sample of a standard normal variable."""
    prints = [fingerprint_arrays(make_arrays(seed)) for seed in range(10)]
    z = calculate_relatedness(prints, prints).z
    values = np.array([z[i, j] for i, j in combinations(range(10), 2)])
    assert np.abs(values).max() < 4.5
    assert 0.7 < values.std() < 1.3


def test_biases_and_normalisation_do_not_count() -> None:
    """Vectors are alike between strangers: here equal, and still no evidence."""
    first, second = make_arrays(1), make_arrays(2)
    vectors = {name: array for name, array in first.items() if array.ndim == 1}
    found = calculate_relatedness(
        [fingerprint_arrays(first)], [fingerprint_arrays({**second, **vectors})]
    )
    assert abs(found.z[0, 0]) < 4.5


def test_constant_and_broken_matrices_say_nothing() -> None:
    flat: Arrays = {name: np.ones_like(array) for name, array in BASE.items()}
    broken: Arrays = {name: np.full_like(array, np.nan) for name, array in BASE.items()}
    prints = [fingerprint_arrays(arrays) for arrays in (flat, broken, BASE)]
    z = calculate_relatedness(prints, prints).z
    np.testing.assert_array_equal(z[:2], 0.0)
    assert z[2, 2] > 50


def test_huge_values_do_not_overflow() -> None:
    """Values near the largest number: squares would be infinite."""
    huge: Arrays = {name: array.astype(np.float64) * 1e300 for name, array in BASE.items()}
    found = calculate_relatedness([fingerprint_arrays(BASE)], [fingerprint_arrays(huge)])
    assert found.correlation[0, 0] == pytest.approx(1.0, abs=1e-5)


def test_models_without_a_common_matrix_are_strangers() -> None:
    other = fingerprint_arrays(make_arrays(1, width=30))
    found = calculate_relatedness([fingerprint_arrays(BASE)], [other])
    assert (found.z[0, 0], found.correlation[0, 0]) == (0.0, 0.0)


def test_a_deeper_relative_shares_what_it_can() -> None:
    deeper = {**make_arrays(7, depth=3), **add_noise(BASE, share=0.1, seed=1)}
    found = calculate_relatedness([fingerprint_arrays(BASE)], [fingerprint_arrays(deeper)])
    assert found.correlation[0, 0] > 0.98


def make_mixture() -> list[Fingerprint]:
    """Relatives and strangers of several structures and under several names."""
    child = add_noise(BASE, share=0.3, seed=1)
    wrapped = rename_arrays(child, "wrapped.")
    wrapped["scale"] = np.ones(3, np.float32)
    # Half of the names are as in the base, half are not: seen from one side they are matched.
    partly = {name: array for name, array in child.items() if name.startswith("blocks.0.dense")}
    partly |= rename_arrays(
        {n: a for n, a in child.items() if n.startswith("blocks.0.att")}, "encoder."
    )
    return [
        fingerprint_arrays(arrays)
        for arrays in (
            BASE,
            child,
            wrapped,
            partly,
            make_arrays(3),
            {**make_arrays(5, depth=3), "blocks.2.dense.weight": BASE["blocks.1.dense.weight"]},
        )
    ]


def test_the_test_is_symmetric() -> None:
    prints = make_mixture()
    found = calculate_relatedness(prints, prints)
    np.testing.assert_allclose(found.z, found.z.T, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.correlation, found.correlation.T, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.diag(found.correlation), 1.0, rtol=1e-5)


def test_a_pair_does_not_depend_on_its_company() -> None:
    prints = make_mixture()
    whole = calculate_relatedness(prints, prints).z
    for i, first in enumerate(prints):
        for j, second in enumerate(prints):
            alone = calculate_relatedness([first], [second]).z[0, 0]
            assert alone == pytest.approx(whole[i, j], rel=1e-5, abs=1e-5)


@given(st.floats(1e-6, 1e6), st.booleans(), st.sampled_from(["", "module.", "model.module."]))
@settings(max_examples=20, deadline=None)
def test_scale_order_and_prefix_do_not_matter(scale: float, backwards: bool, prefix: str) -> None:
    child = rename_arrays(add_noise(BASE, share=0.5, seed=3), prefix)
    scaled = {name: (array * scale).astype(np.float32) for name, array in child.items()}
    if backwards:
        scaled = dict(reversed(scaled.items()))
    base = fingerprint_arrays(BASE)
    plain = calculate_relatedness([base], [fingerprint_arrays(child)]).z[0, 0]
    changed = calculate_relatedness([base], [fingerprint_arrays(scaled)]).z[0, 0]
    assert changed == pytest.approx(plain, rel=1e-4)


def test_components_join_chains() -> None:
    """Ends of a chain that no longer resemble each other are one family through its middle.

    a (matrices of block 0) ── b (both blocks) ── c (matrices of block 1)
    """
    first = {n: a for n, a in BASE.items() if ".0." in n}
    second = {n: a for n, a in BASE.items() if ".1." in n}
    stranger = fingerprint_arrays(make_arrays(8))
    prints = {
        "a": fingerprint_arrays(first),
        "b": fingerprint_arrays(BASE),
        "c": fingerprint_arrays(second),
        "z": stranger,
    }
    assert calculate_relatedness([prints["a"]], [prints["c"]]).related[0, 0] is np.False_
    assert find_components(prints) == [["a", "b", "c"], ["z"]]
    del prints["b"]
    assert find_components(prints) == [["a"], ["c"], ["z"]]


def test_components_of_nothing() -> None:
    assert find_components({}) == []


def test_the_real_family_is_one_and_strangers_are_alone(
    family_prints: dict[str, Fingerprint], stranger_prints: list[Fingerprint]
) -> None:
    prints = {**family_prints, **{f"s{i}": p for i, p in enumerate(stranger_prints)}}
    expected = [sorted(family_prints), *([f"s{i}"] for i in range(len(stranger_prints)))]
    assert find_components(prints) == expected
    names = list(prints)
    for seed in range(5):
        random.Random(seed).shuffle(names)
        assert find_components({name: prints[name] for name in names}) == expected


def test_the_real_family_and_strangers_are_far_apart(
    family_prints: dict[str, Fingerprint], stranger_prints: list[Fingerprint]
) -> None:
    members = list(family_prints.values())
    assert calculate_relatedness(members, members).z.min() > 20
    assert np.abs(calculate_relatedness(members, stranger_prints).z).max() < 5
