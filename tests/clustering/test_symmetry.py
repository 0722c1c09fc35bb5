"""Relatives whose units are in another order, and strangers, by screen and by proof."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations

import numpy as np
import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.disorder import are_out_of_order, find_frames
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.relatedness import (
    are_hidden_relatives,
    find_components,
    list_hidden_candidates,
    relate_all,
)
from model_heritage_backend.clustering.symmetry import find_counterparts, find_symmetry
from model_heritage_backend.clustering.symmetry_screen import UnitViews, screen_pairs
from model_heritage_backend.clustering.units import match_units
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.fingerprints.names import canonicalise_names
from tests.clustering.alterations import (
    Array,
    number_tensors,
    permute_hidden,
    permute_residual,
    scale_values,
)
from tests.clustering.models import fingerprint_arrays, load_arrays, make_arrays

Alteration = Callable[[dict[str, Array]], dict[str, Array]]
ALTERATIONS: dict[str, Alteration] = {
    "hidden": lambda arrays: permute_hidden(arrays, 1),
    "residual": lambda arrays: permute_residual(arrays, 2),
    "both": lambda arrays: permute_residual(permute_hidden(arrays, 3), 4),
    "scaled": lambda arrays: scale_values(arrays, 5),
}


@pytest.fixture(scope="module")
def child(zoo_family: Zoo) -> dict[str, Array]:
    arrays = load_arrays(zoo_family.path("noisy"))
    names = canonicalise_names(arrays)
    return {names[name]: array for name, array in arrays.items()}


@pytest.mark.parametrize("kind", ALTERATIONS)
def test_an_altered_child_stays_in_the_family(
    kind: str, child: dict[str, Array], family_prints: dict[str, Fingerprint]
) -> None:
    altered = fingerprint_arrays(ALTERATIONS[kind](child))
    prints = {"base": family_prints["base"], "altered": altered}
    assert find_components(prints) == [["altered", "base"]]
    family = AlignedFamily.build(prints)
    assert are_out_of_order(family, 0, 1)
    edge = solve_family(prints).edges[0]
    assert edge.confidence < 0.5, "which came first, and what was done, is not known"


def test_a_permuted_residual_stream_needs_the_proof(
    child: dict[str, Array], family_prints: dict[str, Fingerprint]
) -> None:
    base, altered = family_prints["base"], fingerprint_arrays(permute_residual(child, 2))
    assert are_hidden_relatives(base, altered)
    assert are_hidden_relatives(altered, base)
    assert relate_all([base, altered, fingerprint_arrays(make_arrays(1))]).tolist() == [
        [True, True, False],
        [True, True, False],
        [False, False, True],
    ]
    found = find_symmetry(base.tensors, altered.tensors)
    assert len(found.settled) == found.shared
    assert found.correlation > 0.8


@pytest.mark.parametrize("permuted", [False, True])
def test_a_child_without_names_stays_in_the_family(
    permuted: bool, child: dict[str, Array], family_prints: dict[str, Fingerprint]
) -> None:
    altered = number_tensors(ALTERATIONS["both"](child) if permuted else child)
    prints = {"base": family_prints["base"], "child": fingerprint_arrays(altered)}
    assert find_components(prints) == [["base", "child"]]


def test_the_family_as_it_is_has_one_frame(
    zoo_family: Zoo, family_prints: dict[str, Fingerprint]
) -> None:
    """Also with quantised, pruned and merged members; without gains, edges alone must do."""
    family = AlignedFamily.build(family_prints)
    place = {name: i for i, name in enumerate(family.ids)}
    parents = {
        place[name]: place[zoo_family.true_parents(name)[0]] for name in place if name != "base"
    }
    gains = np.zeros((len(family), len(family)))
    judge = partial(are_out_of_order, family)
    assert len(set(find_frames(range(len(family)), parents, gains, judge).values())) == 1


def test_shrinkage_is_no_disorder(child: dict[str, Array]) -> None:
    """Decay makes everything shorter; only factors both ways are a change of scale."""
    rng = np.random.default_rng(0)
    shrunk = {
        name: array * rng.uniform(0.4, 0.9, (len(array), 1)).astype(array.dtype)
        if array.ndim == 2
        else array
        for name, array in child.items()
    }
    prints = {"a": fingerprint_arrays(child), "b": fingerprint_arrays(shrunk)}
    assert not are_out_of_order(AlignedFamily.build(prints), 0, 1)


def test_strangers_pass_neither_screen_nor_proof() -> None:
    prints = [fingerprint_arrays(make_arrays(seed)) for seed in range(8)]
    pairs = np.array(list(combinations(range(len(prints)), 2)))
    views = [UnitViews(p.tensors) for p in prints]
    assert screen_pairs(views, views, pairs).mean() < 0.1
    for i, j in pairs:
        found = find_symmetry(prints[i].tensors, prints[j].tensors)
        assert not found.related
        assert found.z < 12


def test_what_one_model_lacks_does_not_hide_the_rest(child: dict[str, Array]) -> None:
    """Another head and a bias less; the traits that both have still tell their units apart."""
    hidden, residual = permute_hidden(child, 1), permute_residual(child, 2)
    hidden["head.weight"] = hidden["head.weight"][:7]
    hidden["head.bias"] = hidden["head.bias"][:7]
    del hidden["blocks.0.fc1.bias"], hidden["blocks.1.attention.key.bias"]
    first, second = fingerprint_arrays(hidden), fingerprint_arrays(residual)
    assert first.structural_hash != second.structural_hash
    assert list_hidden_candidates([first], [second], np.ones((1, 1), bool)) == [(0, 0)]
    assert are_hidden_relatives(first, second)


def test_running_numbers_that_moved_on_are_no_names(child: dict[str, Array]) -> None:
    numbered = {f"n.{i:03}": array for i, array in enumerate(child.values())}
    short = {f"n.{i:03}": array for i, array in enumerate(list(child.values())[3:])}
    first, second = fingerprint_arrays(numbered), fingerprint_arrays(short)
    assert find_components({"all": first, "fewer": second}) == [["all", "fewer"]]


def test_units_find_their_counterparts() -> None:
    rng = np.random.default_rng(0)
    units = rng.standard_normal((20, 16))
    order = rng.permutation(20)
    factors = np.exp(rng.uniform(-1, 1, (20, 1)))
    match = match_units(units, (factors * units)[order])
    np.testing.assert_array_equal(order[match.second], match.first)
    assert len(match.first) == 20
    assert match.z > 10
    strange = match_units(units, rng.standard_normal((20, 16)))
    assert abs(strange.z) < 4


def test_channels_take_their_kernels_with_them() -> None:
    """Three channels of two places each; the first and the last changed places."""
    i, j = find_counterparts(np.arange(6), 6, 3, np.array([2, 1, 0]))
    assert list(zip(i, j, strict=True)) == [(0, 4), (1, 5), (2, 2), (3, 3), (4, 0), (5, 1)]
    i, j = find_counterparts(np.array([0, 3]), 6, 3, np.array([1, -1, 0]))
    assert len(i) == 0, "their counterparts, 2 and none, were not sampled"


def test_an_order_is_no_proof_of_the_matrix_it_was_found_on() -> None:
    """Neighbouring inputs are alike in all models, so units of strangers seem to match on both
    halves of the components. That must not be counted again in the order it led to.
    """
    prints = []
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        smooth = np.random.default_rng(9).standard_normal((6, 64))
        first = rng.standard_normal((64, 6)) @ smooth
        arrays = {"0.weight": first, "1.weight": rng.standard_normal((64, 64))}
        prints.append(fingerprint_arrays({n: a.astype(np.float32) for n, a in arrays.items()}))
    found = find_symmetry(prints[0].tensors, prints[1].tensors)
    assert found.settled == ("0.weight",)
    assert found.correlation < 0.3
