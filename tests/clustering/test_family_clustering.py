"""Families by every method: of real models, of mixed lakes, and of newcomers."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering.distance_calculator import (
    DistanceMetric,
    ModelDistanceCalculator,
)
from model_heritage_backend.clustering.family_clustering import (
    METHODS,
    ClusteringMethod,
    FamilyClusteringSystem,
    cluster_by_density,
    cluster_by_means,
    cluster_by_threshold,
)
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.models import add_noise, fingerprint_arrays, make_arrays

ALL = tuple(ClusteringMethod)
LOCAL = (ClusteringMethod.AUTO, ClusteringMethod.THRESHOLD, ClusteringMethod.DBSCAN)
FIRST, SECOND = make_arrays(1), make_arrays(2)


def make_lake() -> dict[str, Fingerprint]:
    """Two families of one architecture, a stranger of it, and one that shares no matrix.

    a ─┬─ a1          b ── b1          c          d (another width)
       └─ a2
    """
    return {
        "a": fingerprint_arrays(FIRST),
        "a1": fingerprint_arrays(add_noise(FIRST, share=0.1, seed=1)),
        "a2": fingerprint_arrays(add_noise(FIRST, share=0.2, seed=2, rank=2)),
        "b": fingerprint_arrays(SECOND),
        "b1": fingerprint_arrays(add_noise(SECOND, share=0.1, seed=3)),
        "c": fingerprint_arrays(make_arrays(3)),
        "d": fingerprint_arrays(make_arrays(4, width=30)),
    }


LAKE = make_lake()
FAMILIES = [["a", "a1", "a2"], ["b", "b1"], ["c"], ["d"]]


def group(families: list[list[str]], lake: Mapping[str, Fingerprint]) -> dict[str, list]:
    return {names[0]: [lake[name] for name in names] for names in families}


@pytest.mark.parametrize("method", ALL)
def test_families_of_a_mixed_lake(method: ClusteringMethod) -> None:
    assert FamilyClusteringSystem(method=method).cluster(LAKE) == FAMILIES


@pytest.mark.parametrize("method", ALL)
def test_real_models_among_strangers(
    method: ClusteringMethod,
    family_prints: dict[str, Fingerprint],
    stranger_prints: list[Fingerprint],
) -> None:
    lake = family_prints | {f"~{i}": print_ for i, print_ in enumerate(stranger_prints)}
    found = FamilyClusteringSystem(method=method).cluster(lake)
    assert found == [sorted(family_prints), ["~0"], ["~1"], ["~2"], ["~3"]]


@pytest.mark.parametrize("method", ALL)
def test_few_models(method: ClusteringMethod) -> None:
    system = FamilyClusteringSystem(method=method)
    assert system.cluster({}) == []
    assert system.cluster({"a": LAKE["a"]}) == [["a"]]
    assert system.cluster({"a": LAKE["a"], "twin": LAKE["a"]}) == [["a", "twin"]]
    assert system.cluster({"a": LAKE["a"], "b": LAKE["b"]}) == [["a"], ["b"]]


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(ALL), st.sampled_from(DistanceMetric))
def test_neither_order_nor_ids_matter(
    shuffled: random.Random, method: ClusteringMethod, metric: DistanceMetric
) -> None:
    system = FamilyClusteringSystem(ModelDistanceCalculator(metric), method=method)
    names = list(LAKE)
    shuffled.shuffle(names)
    assert system.cluster({name: LAKE[name] for name in names}) == system.cluster(LAKE)
    renamed = {name: f"{place}" for place, name in enumerate(names)}
    again = system.cluster({new: LAKE[old] for old, new in renamed.items()})
    expected = [sorted(renamed[name] for name in family) for family in system.cluster(LAKE)]
    assert sorted(again) == sorted(expected)


def test_the_threshold_decides() -> None:
    def cluster(threshold: float) -> list[list[str]]:
        return FamilyClusteringSystem(
            ModelDistanceCalculator(DistanceMetric.L2_DISTANCE),
            family_threshold=threshold,
            method=ClusteringMethod.THRESHOLD,
        ).cluster({name: LAKE[name] for name in ("a", "a1", "a2", "c")})

    assert cluster(0.0) == [["a"], ["a1"], ["a2"], ["c"]]
    assert cluster(0.1) == [["a", "a1"], ["a2"], ["c"]]
    assert cluster(0.3) == [["a", "a1", "a2"], ["c"]]
    assert cluster(2.0) == [["a", "a1", "a2", "c"]]
    with pytest.raises(ValueError, match="family_threshold"):
        cluster(-0.1)


def test_methods_on_distances_worked_by_hand() -> None:
    """Points at 0, 1, 2 and 10, 11 on a line."""
    points = np.array([0.0, 1.0, 2.0, 10.0, 11.0])
    distances = np.abs(points[:, None] - points)
    assert set(METHODS) == set(ClusteringMethod) - {ClusteringMethod.AUTO}
    for method in (cluster_by_threshold, cluster_by_density):
        labels = method(distances, 1.0)
        assert labels.tolist() == [0, 0, 0, 1, 1]
        assert len(set(method(distances, 0.5))) == 5
    labels = cluster_by_means(distances, 1.0)
    assert len({*labels[:3]}) == len({*labels[3:]}) == 1
    assert labels[0] != labels[3]
    assert cluster_by_means(distances, 11.0).tolist() == [0] * 5
    equal = 1.0 - np.eye(4)
    assert len(set(cluster_by_means(equal, 0.3))) == 4, "nothing is nearer than anything else"


@pytest.mark.parametrize("method", ALL)
def test_a_newcomer_finds_its_family(method: ClusteringMethod) -> None:
    families = group(FAMILIES, LAKE)
    newcomer = fingerprint_arrays(add_noise(FIRST, share=0.05, seed=9))
    found = FamilyClusteringSystem(method=method).assign(newcomer, families)
    assert found.family_ids == ("a",)
    assert found.confidence > 0.9
    assert found.method is method
    assert found.candidates[0].family_id == "a"


@pytest.mark.parametrize("method", ALL)
def test_a_stranger_founds_a_family(method: ClusteringMethod) -> None:
    system = FamilyClusteringSystem(method=method)
    for stranger in (make_arrays(50), make_arrays(51, width=40)):
        found = system.assign(fingerprint_arrays(stranger), group(FAMILIES, LAKE))
        assert found.family_ids == ()
        assert found.confidence > 0.9
    assert system.assign(LAKE["a"], {}).family_ids == ()


@pytest.mark.parametrize("method", ALL)
def test_a_model_may_join_two_families(method: ClusteringMethod) -> None:
    """The average of two strangers is related to both."""
    mean = {name: (FIRST[name] + SECOND[name]) / 2 for name in FIRST}
    system = FamilyClusteringSystem(family_threshold=0.6, method=method)
    families = {"a": [LAKE["a"]], "b": [LAKE["b"]], "c": [LAKE["c"]]}
    found = system.assign(fingerprint_arrays(mean), families)
    assert sorted(found.family_ids) == ["a", "b"]


def test_doubt_near_the_threshold() -> None:
    system = FamilyClusteringSystem(
        ModelDistanceCalculator(DistanceMetric.L2_DISTANCE),
        family_threshold=0.1,
        method=ClusteringMethod.THRESHOLD,
    )
    families = {"a": [LAKE["a"]]}
    shares = (0.0, 0.12, 0.16, 0.35)
    found = [
        system.assign(fingerprint_arrays(add_noise(FIRST, share=share, seed=5)), families)
        for share in shares
    ]
    assert [bool(f.family_ids) for f in found] == [True, True, False, False]
    assert [round(f.confidence, 1) for f in found] == [1.0, 0.6, 0.6, 1.0]


@settings(max_examples=10, deadline=None)
@given(st.permutations(sorted(LAKE)), st.sampled_from(LOCAL))
def test_one_by_one_gives_the_same_families(order: list[str], method: ClusteringMethod) -> None:
    """Joining what each newcomer touches ends where clustering everything at once does."""
    system = FamilyClusteringSystem(method=method)
    families: dict[str, list[str]] = {}
    for name in order:
        prints = {f: [LAKE[m] for m in members] for f, members in families.items()}
        joined = system.assign(LAKE[name], prints).family_ids
        families[name] = [name, *(m for f in joined for m in families.pop(f))]
    grown = sorted((sorted(members) for members in families.values()), key=lambda f: (-len(f), f))
    assert grown == system.cluster(LAKE)
