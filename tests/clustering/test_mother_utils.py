"""The paper's formulas on numbers worked by hand and on files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.mother_utils import (
    build_tree,
    calc_ku,
    calculate_l2_distance,
    load_model_weights,
    weigh_direction,
)
from model_heritage_backend.errors import InvalidRequest, NotFound

RNG = np.random.default_rng(5)
Array = NDArray[np.float64]


def test_matrices_of_a_file_are_loaded(zoo_family: Zoo) -> None:
    weights = load_model_weights(zoo_family.path("base"))
    assert weights
    assert all(array.ndim >= 2 and array.dtype == np.float32 for array in weights.values())
    assert not any(name.endswith("bias") for name in weights)
    assert all(np.isfinite(array).all() and array.std() > 0 for array in weights.values())


def test_names_are_canonical(zoo_family: Zoo) -> None:
    """Members carry prefixes of their own; what is left is the same."""
    base, noisy = (load_model_weights(zoo_family.path(name)) for name in ("base", "noisy"))
    assert base.keys() == noisy.keys()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_model_weights(tmp_path / "none.safetensors")


def test_kurtosis_is_summed_over_square_matrices() -> None:
    first, second = RNG.standard_normal((20, 20)), RNG.laplace(size=(30, 30))
    weights = {"a": first, "b": second, "wide": RNG.laplace(size=(20, 60))}
    expected = scipy.stats.kurtosis(first.ravel()) + scipy.stats.kurtosis(second.ravel())
    assert calc_ku(weights) == pytest.approx(expected)


def test_all_matrices_count_where_none_is_square() -> None:
    wide, tall = RNG.laplace(size=(20, 60)), RNG.standard_normal((60, 20))
    expected = scipy.stats.kurtosis(wide.ravel()) + scipy.stats.kurtosis(tall.ravel())
    assert calc_ku({"wide": wide, "tall": tall}) == pytest.approx(expected)


def test_kurtosis_of_odd_weights() -> None:
    values = RNG.standard_normal((10, 10))
    holed = values.copy()
    holed[0, 0] = np.nan
    assert calc_ku({"w": holed}) == pytest.approx(scipy.stats.kurtosis(values.ravel()[1:]))
    assert calc_ku({"w": np.full((8, 8), 2.0)}) == 0.0
    assert calc_ku({"w": np.full((8, 8), np.nan)}) == 0.0
    assert calc_ku({}) == 0.0


def test_distance_is_the_mean_over_layers() -> None:
    first = {"a": np.zeros((2, 2)), "b": np.zeros((3, 3)), "only": np.ones((2, 2))}
    second = {"a": np.full((2, 2), 2.0), "b": np.zeros((3, 3)), "other": np.ones((2, 2))}
    assert calculate_l2_distance(first, second) == pytest.approx((4.0 + 0.0) / 2)
    assert calculate_l2_distance(second, first) == calculate_l2_distance(first, second)
    assert calculate_l2_distance(first, first) == 0.0


def test_layers_of_another_shape_do_not_take_part() -> None:
    first, second = {"a": np.zeros((2, 2)), "h": np.zeros((2, 5))}, {"a": np.ones((2, 2))}
    assert calculate_l2_distance(first, second | {"h": np.zeros((2, 7))}) == pytest.approx(2.0)
    with pytest.raises(InvalidRequest, match="no layer in common"):
        calculate_l2_distance({"h": np.zeros((2, 5))}, {"h": np.zeros((2, 7))})


def test_a_violated_order_costs_lambda_times_the_mean_distance() -> None:
    distances = np.array([[0.0, 2.0], [2.0, 0.0]])
    costs = weigh_direction(distances, np.array([5.0, 1.0]), lambda_param=0.5)
    assert costs[0, 1] == pytest.approx(2.0)
    assert costs[1, 0] == pytest.approx(2.0 + 0.5 * 2.0)


def test_models_that_cannot_be_compared_do_not_spoil_the_mean() -> None:
    distances = np.array([[0, 2, np.inf], [2, 0, 4], [np.inf, 4, 0]])
    costs = weigh_direction(distances, np.array([1.0, 2.0, 3.0]), lambda_param=1.0)
    assert costs[0, 1] == pytest.approx(2.0 + 3.0)
    assert np.isinf(costs[0, 2])


def test_kurtosis_orients_a_tree() -> None:
    """Distances say 1-0-2-3; kurtosis falls from 0 outwards::

    0 (9) ─┬─ 1 (5)
           └─ 2 (6) ── 3 (2)
    """
    distances = np.array([[0, 1, 1, 2], [1, 0, 2, 3], [1, 2, 0, 1], [2, 3, 1, 0]], np.float64)
    tree = build_tree(distances, np.array([9.0, 5.0, 6.0, 2.0]))
    assert sorted(tree.edges) == [(0, 1), (0, 2), (2, 3)]
    assert tree.edges[2, 3]["distance"] == 1.0


def test_lambda_weighs_order_against_distance() -> None:
    """2 is nearest to 0, but has a larger kurtosis: with a large lambda it is made the root."""
    distances = np.array([[0, 1, 1.5], [1, 0, 3], [1.5, 3, 0]])
    kurtoses = np.array([3.0, 1.0, 4.0])
    assert sorted(build_tree(distances, kurtoses).edges) == [(0, 1), (2, 0)]
    line = np.array([[0, 2, 9], [2, 0, 1], [9, 1, 0]], np.float64)
    order = np.array([3.0, 1.0, 2.0])
    assert sorted(build_tree(line, order, 0.1).edges) == [(0, 1), (1, 2)]
    assert sorted(build_tree(line, order, 100.0).edges) == [(0, 2), (2, 1)]


def test_single_and_unreachable_models() -> None:
    assert list(build_tree(np.zeros((1, 1)), np.zeros(1)).nodes) == [0]
    with pytest.raises(InvalidRequest, match="No arborescence"):
        build_tree(np.array([[0, np.inf], [np.inf, 0]]), np.zeros(2))
