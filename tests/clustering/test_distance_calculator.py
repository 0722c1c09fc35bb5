"""Metrics against numbers worked by hand, and the laws that every distance keeps."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.distance_calculator import (
    METRICS,
    DistanceMetric,
    ModelDistanceCalculator,
    resolve_metric,
)
from model_heritage_backend.clustering.mother_utils import (
    calculate_l2_distance,
    load_model_weights,
)
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.models import add_noise, fingerprint_arrays, make_arrays

CONCRETE = tuple(METRICS)
BASE = make_arrays(1)


def measure(metric: DistanceMetric, first: Fingerprint, second: Fingerprint) -> float:
    return ModelDistanceCalculator(metric).calculate_distance(first, second)


def test_every_metric_but_auto_has_its_function() -> None:
    assert set(METRICS) == set(DistanceMetric) - {DistanceMetric.AUTO}
    assert ModelDistanceCalculator("matrix_rank").metric is DistanceMetric.MATRIX_RANK


def test_l2_is_that_of_the_whole_files(zoo_family: Zoo) -> None:
    """The small models' matrices are sampled whole, so samples must give the exact figure."""
    names = ("base", "rotated")
    whole = calculate_l2_distance(*(load_model_weights(zoo_family.path(name)) for name in names))
    prints = [fingerprint_arrays(load_model_weights(zoo_family.path(name))) for name in names]
    assert measure(DistanceMetric.L2_DISTANCE, *prints) == pytest.approx(whole, rel=0.05)


def test_l2_of_a_sample_stands_for_the_whole_matrix() -> None:
    parent = make_arrays(2, width=96)
    child = add_noise(parent, share=0.1, seed=3)
    matrices = [name for name in parent if parent[name].ndim == 2]
    whole = np.mean([np.linalg.norm(child[n] - parent[n]) for n in matrices])
    prints = [fingerprint_arrays(arrays, sample_size=32) for arrays in (parent, child)]
    assert measure(DistanceMetric.L2_DISTANCE, *prints) == pytest.approx(whole, rel=0.1)


def test_cosine_by_hand() -> None:
    first = {"w": np.ones((10, 10), np.float32)}
    second = {"w": np.ones((10, 10), np.float32)}
    second["w"][:5] = 0
    prints = fingerprint_arrays(first), fingerprint_arrays(second)
    found = measure(DistanceMetric.COSINE_SIMILARITY, *prints)
    assert found == pytest.approx(1 - math.sqrt(0.5))


def test_cosine_does_not_see_length() -> None:
    double = {name: 2 * array for name, array in BASE.items()}
    prints = fingerprint_arrays(BASE), fingerprint_arrays(double)
    assert measure(DistanceMetric.COSINE_SIMILARITY, *prints) == pytest.approx(0.0, abs=1e-14)
    assert measure(DistanceMetric.L2_DISTANCE, *prints) > 0.1


def test_rank_counts_directions() -> None:
    """Four matrices, each moved in three directions; a full-rank step counts the whole side."""
    prints = [
        fingerprint_arrays(arrays)
        for arrays in (
            BASE,
            add_noise(BASE, share=0.1, seed=1, rank=3),
            add_noise(BASE, share=0.1, seed=2),
        )
    ]
    assert measure(DistanceMetric.MATRIX_RANK, prints[0], prints[1]) == 4 * 3
    assert measure(DistanceMetric.MATRIX_RANK, prints[0], prints[2]) == 4 * 24


@pytest.mark.parametrize("metric", CONCRETE)
def test_copies_and_strangers(metric: DistanceMetric) -> None:
    calculator = ModelDistanceCalculator(metric)
    copy = {name: array.astype(np.float64) for name, array in BASE.items()}
    prints = [fingerprint_arrays(arrays) for arrays in (BASE, copy, make_arrays(9))]
    near = calculator.calculate_relative_distances(prints)
    assert near[0, 1] == 0.0
    assert near[0, 2] == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("metric", CONCRETE)
def test_models_that_share_no_matrix_are_infinitely_far(
    metric: DistanceMetric, stranger_prints: list[Fingerprint]
) -> None:
    other = fingerprint_arrays({"x": np.eye(7, 9, dtype=np.float32)})
    calculator = ModelDistanceCalculator(metric)
    assert calculator.calculate_distance(stranger_prints[0], other) == math.inf
    assert calculator.calculate_relative_distances([other], stranger_prints).min() == math.inf


@pytest.mark.parametrize("metric", CONCRETE)
def test_all_zero_models_are_no_trouble(metric: DistanceMetric) -> None:
    zero = fingerprint_arrays({"w": np.zeros((8, 8), np.float32)})
    one = fingerprint_arrays({"w": np.ones((8, 8), np.float32)})
    assert measure(metric, zero, zero) == 0.0
    assert 0.0 < measure(metric, zero, one) < math.inf


def test_auto_is_rank_for_adapters_and_l2_for_fine_tunes() -> None:
    def resolve(*models: Fingerprint) -> DistanceMetric:
        return resolve_metric(DistanceMetric.AUTO, models)

    base = fingerprint_arrays(BASE)
    adapters = [fingerprint_arrays(add_noise(BASE, share=0.1, seed=s, rank=2)) for s in (1, 2)]
    tuned = fingerprint_arrays(add_noise(BASE, share=0.1, seed=3))
    assert resolve(base, *adapters) is DistanceMetric.MATRIX_RANK
    assert resolve(base, *adapters, tuned) is DistanceMetric.L2_DISTANCE
    assert resolve(base) is resolve() is resolve(base, base) is DistanceMetric.L2_DISTANCE
    found = ModelDistanceCalculator().compare([base, *adapters])
    assert found.metric is DistanceMetric.MATRIX_RANK
    assert found.matrix[0].tolist() == [0, 8, 8]


def test_auto_on_real_models(family_prints: dict[str, Fingerprint]) -> None:
    pairs = {
        ("base", "inverted-lora"): DistanceMetric.MATRIX_RANK,
        ("base", "noisy"): DistanceMetric.L2_DISTANCE,
    }
    for names, expected in pairs.items():
        prints = [family_prints[name] for name in names]
        assert resolve_metric(DistanceMetric.AUTO, prints) is expected


def test_a_resaved_model_is_the_same_model() -> None:
    """Other prefixes, another order of tensors."""
    names = list(BASE)
    random.Random(0).shuffle(names)
    resaved = fingerprint_arrays({f"module.model.{name}": BASE[name] for name in names})
    child = fingerprint_arrays(add_noise(BASE, share=0.2, seed=4))
    base = fingerprint_arrays(BASE)
    for metric in DistanceMetric:
        assert measure(metric, base, resaved) == 0.0
        assert measure(metric, resaved, child) == measure(metric, base, child) > 0


@settings(max_examples=15, deadline=None)
@given(
    metric=st.sampled_from(list(DistanceMetric)),
    steps=st.lists(
        st.tuples(st.integers(0, 5), st.floats(0.01, 0.5), st.one_of(st.none(), st.integers(1, 4))),
        min_size=1,
        max_size=4,
    ),
    shuffled=st.randoms(use_true_random=False),
)
def test_laws_of_distance(
    metric: DistanceMetric, steps: list[tuple[int, float, int | None]], shuffled: random.Random
) -> None:
    """Symmetric, zero on the diagonal, and the same in whatever order models are given."""
    models = [fingerprint_arrays(BASE)]
    models += [fingerprint_arrays(add_noise(BASE, share=s, seed=n, rank=r)) for n, s, r in steps]
    models.append(fingerprint_arrays(make_arrays(7, width=30)))
    calculator = ModelDistanceCalculator(metric)
    order = list(range(len(models)))
    shuffled.shuffle(order)
    for calculate in (calculator.calculate_distances, calculator.calculate_relative_distances):
        distances = calculate(models)
        assert np.array_equal(distances, distances.T)
        assert not distances.diagonal().any()
        assert (distances >= 0).all()
        again = calculate([models[i] for i in order])
        assert np.array_equal(again, distances[np.ix_(order, order)])
    rectangle = calculator.calculate_relative_distances(models[:2], models)
    assert np.array_equal(rectangle, calculator.calculate_relative_distances(models)[:2])
