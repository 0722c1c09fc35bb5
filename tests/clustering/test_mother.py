"""The specification's ways to a tree, on trees worked by hand and on real models."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.distance_calculator import (
    DistanceMetric,
    ModelDistanceCalculator,
)
from model_heritage_backend.clustering.genealogy import FamilyTree, Relation
from model_heritage_backend.clustering.mother import (
    ChooseParents,
    calculate_kurtoses,
    choose_by_distance,
    choose_by_distance_and_kurtosis,
    choose_by_kurtosis,
    solve_with,
)
from model_heritage_backend.clustering.mother_utils import calc_ku, load_model_weights
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_sampled
from tests.clustering.models import ArrayWeights, add_noise, fingerprint_arrays, make_arrays

INF = math.inf


def choose_mother(distances: NDArray[np.float64], kurtoses: NDArray[np.float64]) -> NDArray:
    return choose_by_distance_and_kurtosis(distances, kurtoses, lambda_param=0.3)


CHOICES = (choose_mother, choose_by_distance, choose_by_kurtosis)


def solve(
    models: dict[str, Fingerprint],
    choose: ChooseParents = choose_mother,
    metric: DistanceMetric = DistanceMetric.L2_DISTANCE,
    **options: bool,
) -> FamilyTree:
    calculator = ModelDistanceCalculator(metric)
    return solve_with(choose, models, method="test", calculator=calculator, **options)


def edges_of(tree: FamilyTree) -> set[tuple[str, str]]:
    return {(edge.parent, edge.child) for edge in tree.edges}


def test_choices_by_hand() -> None:
    """Models on a line; kurtosis falls 2 > 0 > 1 > 3.

    0 ──1── 1 ──1── 2 ──1── 3
    """
    places = np.arange(4.0)
    distances = np.abs(places[:, None] - places)
    kurtoses = np.array([3.0, 2.0, 4.0, 1.0])
    # From the two central models the first; distances do not see kurtosis.
    assert choose_by_distance(distances, kurtoses).tolist() == [1, -1, 1, 2]
    # Order is absolute: 0 may only hang on 2, which has more; 1 is as near to 0 as to 2.
    assert choose_by_kurtosis(distances, kurtoses).tolist() == [2, 0, -1, 2]
    # 0.3 of the mean distance is less than the step that keeping to the order would cost; of the
    # two roots that do as well, 0 and 2, the first.
    assert choose_mother(distances, kurtoses).tolist() == [-1, 0, 1, 2]
    assert choose_mother(distances, np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [1, 2, 3, -1]
    heavy = choose_by_distance_and_kurtosis(distances, kurtoses, lambda_param=9.0)
    assert heavy.tolist() == [2, 0, -1, 2]


def test_models_that_cannot_be_compared_are_not_joined() -> None:
    """0 and 2 share nothing, but both share a matrix with 1; kurtosis puts 1 last."""
    distances = np.array([[0, 1, INF], [1, 0, 1], [INF, 1, 0]])
    kurtoses = np.array([3.0, 1.0, 2.0])
    assert choose_by_distance(distances, kurtoses).tolist() == [1, -1, 1]
    assert choose_mother(distances, kurtoses).tolist() == [-1, 0, 1]
    assert choose_by_kurtosis(distances, kurtoses).tolist() == [-1, 0, -1]


def test_kurtosis_is_that_of_the_whole_files(
    zoo_family: Zoo, family_prints: dict[str, Fingerprint]
) -> None:
    family = AlignedFamily.build(family_prints)
    kurtoses = dict(zip(family.ids, calculate_kurtoses(family), strict=True))
    names = ("base", "noisy", "inverted-lora")
    sums = [calc_ku(load_model_weights(zoo_family.path(name))) for name in names]
    ratios = [total / kurtoses[name] for total, name in zip(sums, names, strict=True)]
    assert ratios == pytest.approx([ratios[0]] * 3, rel=1e-4), "a sum is a multiple of a mean"


def test_kurtosis_where_square_matrices_or_moments_are_missing() -> None:
    def measure(*arrays: dict[str, NDArray], sampled: bool = False) -> list[float]:
        prints = {str(i): fingerprint_arrays(a) for i, a in enumerate(arrays)}
        if sampled:
            opened = [(str(i), ArrayWeights(a)) for i, a in enumerate(arrays)]
            prints = {i: fingerprint_sampled(w, checksum=f"{i:>064}") for i, w in opened}
        family = AlignedFamily.build(prints)
        found = dict(zip(family.ids, calculate_kurtoses(family), strict=True))
        return [found[str(i)] for i in range(len(arrays))]

    base = {name: array for name, array in make_arrays(1).items() if array.ndim == 2}
    square = {n: a for n, a in base.items() if "attention" in n}
    wide = {n: a for n, a in base.items() if "dense" in n}
    assert measure(base, square)[0] == pytest.approx(measure(base, square)[1])
    assert measure(base, wide)[0] != pytest.approx(measure(base, square)[0])
    assert measure(wide)[0] == pytest.approx(calc_ku(wide) / 2, rel=1e-5)
    assert measure(wide, sampled=True)[0] == pytest.approx(calc_ku(wide) / 2, rel=1e-5)
    assert measure({"w": np.ones((8, 8), np.float32)}) == [0.0]


def test_last_digits_of_moments_tell_nothing() -> None:
    """Fingerprints of other versions of the program may differ in them."""
    base = fingerprint_arrays({"w": np.random.default_rng(1).standard_normal((9, 9))})
    tensor = base.tensors["w"]
    assert tensor.moments is not None
    moments = replace(tensor.moments, kurtosis=tensor.moments.kurtosis * (1 + 1e-14))
    other = replace(base, tensors={"w": replace(tensor, moments=moments)})
    first, second = calculate_kurtoses(AlignedFamily.build({"a": base, "b": other}))
    assert first == second != 0.0


def test_relations_of_real_edges(family_prints: dict[str, Fingerprint], zoo_family: Zoo) -> None:
    """Whatever tree is found, its edges that are true are called what they are. (Which of two equal
    models the others come from depends on their checksums, and so on the machine that trained.)
    """
    tree = solve(family_prints, choose_by_distance)
    truth = {
        (zoo_family.names[e["parent"]], zoo_family.names[e["child"]]): e["relation"]
        for e in zoo_family.truth["edges"]
    }
    truth |= {("noisy-copy", c): relation for (p, c), relation in truth.items() if p == "noisy"}
    right = [edge for edge in tree.edges if (edge.parent, edge.child) in truth]
    assert len(right) >= 6
    assert [edge.relation.value for edge in right] == [truth[e.parent, e.child] for e in right]


def test_edges_carry_their_doubt() -> None:
    """Steps of 10 % and 40 %: confidence is 1 - distance / largest distance, by hand.

    root ─┬─ near
          └─ far
    """
    base = make_arrays(1)
    arrays = {
        "root": base,
        "near": add_noise(base, share=0.1, seed=1),
        "far": add_noise(base, share=0.4, seed=2),
    }
    models = {name: fingerprint_arrays(a) for name, a in arrays.items()}
    tree = solve(models, choose_by_distance)
    assert edges_of(tree) == {("root", "near"), ("root", "far")}
    names = list(models)
    distances = ModelDistanceCalculator(DistanceMetric.L2_DISTANCE).calculate_distances(
        [models[name] for name in names]
    )
    largest = distances.max()
    for edge in tree.edges:
        column = distances[names.index(edge.child)]
        own, other = column[names.index("root")], max(column)
        assert edge.confidence == pytest.approx(1 - own / largest)
        assert edge.evidence.runner_up == ({"near", "far"} - {edge.child}).pop()
        assert edge.evidence.margin == pytest.approx((other - own) / largest)
        assert edge.relation is Relation.FINETUNE
        assert edge.evidence.method == tree.method == "test"
        assert not edge.evidence.exact
    change = {edge.child: edge.distance for edge in tree.edges}
    assert change == pytest.approx({"near": 0.1, "far": 0.4}, rel=0.1)
    assert tree.root == "root"
    assert tree.root_confidence == pytest.approx(np.mean([e.confidence for e in tree.edges]))


def test_a_descendant_is_no_rival_of_the_parent() -> None:
    """All but the top of a chain stand below its second model: a ── b ── c ── d."""
    grown = [make_arrays(1)]
    for seed in (1, 2, 3):
        grown.append(add_noise(grown[-1], share=0.2, seed=seed))
    models = {name: fingerprint_arrays(arrays) for name, arrays in zip("abcd", grown, strict=True)}
    tree = solve(models, choose_by_kurtosis)
    rivals = {edge.child: edge.evidence.runner_up for edge in tree.edges}
    assert edges_of(tree) == {("a", "b"), ("b", "c"), ("c", "d")}
    assert rivals == {"b": None, "c": "a", "d": "b"}


def test_equal_models_and_single_ones() -> None:
    base = fingerprint_arrays(make_arrays(1))
    tree = solve({"a": base, "b": base})
    assert [(e.relation, e.confidence, e.distance) for e in tree.edges] == [
        (Relation.DUPLICATE, 1.0, 0.0)
    ]
    alone = solve({"a": base})
    assert (alone.root, alone.edges, alone.root_confidence) == ("a", (), 1.0)


@pytest.mark.parametrize("choose", CHOICES)
def test_strangers_get_trees_of_their_own(choose: ChooseParents) -> None:
    models = {}
    for width in (24, 30):
        base = make_arrays(1, width=width)
        models[f"base-{width}"] = fingerprint_arrays(base)
        models[f"child-{width}"] = fingerprint_arrays(add_noise(base, share=0.1, seed=1))
    tree = solve(models, choose)
    assert tree.root is None
    assert tree.root_confidence == 0.0
    assert len(tree.edges) == 2
    assert all(edge.parent[-2:] == edge.child[-2:] for edge in tree.edges)


def test_kurtosis_that_grows_turns_the_tree_round() -> None:
    """Gaussian noise lessens kurtosis, as the paper says of fine-tuning."""
    base = make_arrays(1, width=48)
    models = {
        "base": fingerprint_arrays(base),
        "child": fingerprint_arrays(add_noise(base, share=0.5, seed=1)),
    }
    for choose in (choose_mother, choose_by_kurtosis):
        assert solve(models, choose).root == "base"
        assert solve(models, choose, kurtosis_grows=True).root == "child"


@settings(max_examples=25, deadline=None)
@given(
    choose=st.sampled_from(CHOICES),
    metric=st.sampled_from(DistanceMetric),
    parents=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    low=st.booleans(),
    shuffled=st.randoms(use_true_random=False),
)
def test_laws_of_trees(
    choose: ChooseParents,
    metric: DistanceMetric,
    parents: list[int],
    *,
    low: bool,
    shuffled: random.Random,
) -> None:
    """n - 1 edges and one root, in whatever order models come and tensors lie."""
    grown = [make_arrays(1)]
    for seed, parent in enumerate(parents):
        step = add_noise(grown[min(parent, seed)], share=0.1, seed=seed, rank=2 if low else None)
        grown.append(step)
    models = {f"m{i}": fingerprint_arrays(arrays) for i, arrays in enumerate(grown)}
    tree = solve(models, choose, metric)
    assert len(tree.edges) == len(models) - 1
    assert tree.root is not None
    assert set(tree.get_descendants(tree.root)) == set(models) - {tree.root}
    names = list(models)
    shuffled.shuffle(names)
    again = solve({name: models[name] for name in names}, choose, metric)
    assert again == tree
    # The file's own order of tensors and prefix must not matter; its checksum may break ties.
    order = list(grown[0])
    shuffled.shuffle(order)
    resaved = {
        name: fingerprint_arrays({f"module.{n}": arrays[n] for n in order})
        for name, arrays in zip(models, grown, strict=True)
    }
    if metric is DistanceMetric.L2_DISTANCE and choose is not choose_by_distance:
        assert edges_of(solve(resaved, choose, metric)) == edges_of(tree)
