"""Merges of two: found where there are any, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.copies import round_bfloat16
from model_heritage_backend.clustering.merge_search import find_merges
from model_heritage_backend.clustering.merges import Merge
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import (
    Arrays,
    Floats,
    align,
    find_places,
    make_model,
    mix_arrays,
    quantise_arrays,
)
from tests.clustering.models import add_noise

BASE = make_model(1)
LEFT, RIGHT = (add_noise(BASE, share=0.2, seed=seed) for seed in (1, 2))


def search(family: AlignedFamily, candidates: Sequence[str] | None = None) -> dict[int, Merge]:
    places = find_places(family)
    return find_merges(family, sorted(places[name] for name in candidates or places))


def find(models: Mapping[str, Arrays]) -> dict[str, dict[str, float | None]]:
    """Child -> its parents with their coefficients."""
    family = align(models)
    return {
        family.ids[child]: {
            family.ids[parent]: merge.get_coefficient(parent) for parent in merge.parents
        }
        for child, merge in search(family).items()
    }


def test_a_merge_of_siblings() -> None:
    r"""base ─┬─ left ──┬─ merge = 0.3 left + 0.7 right
    └─ right ─┘
    """
    models = {"base": BASE, "left": LEFT, "right": RIGHT}
    models["merge"] = mix_arrays(LEFT, RIGHT, 0.3)
    assert find(models) == {"merge": pytest.approx({"left": 0.3, "right": 0.7}, abs=1e-4)}


def test_a_merge_with_the_ancestor() -> None:
    """Weights averaged along training: half way between base and child."""
    found = find({"base": BASE, "left": LEFT, "half": mix_arrays(BASE, LEFT, 0.5), "right": RIGHT})
    assert found == {"half": pytest.approx({"base": 0.5, "left": 0.5}, abs=1e-4)}


def test_a_family_without_merges_has_none() -> None:
    """base ─┬─ left ── further ── last
    └─ right
    """
    further = add_noise(LEFT, share=0.1, seed=3)
    models = {"base": BASE, "left": LEFT, "right": RIGHT, "further": further}
    models["last"] = add_noise(further, share=0.01, seed=4)
    models["adapted"] = add_noise(BASE, share=0.2, seed=5, rank=2)
    assert find(models) == {}


def test_going_on_in_the_same_direction_is_no_merge() -> None:
    """left lies between base and beyond: the middle one is found, the outer one is not."""
    beyond = mix_arrays(LEFT, BASE, 1.5)
    found = find({"base": BASE, "left": LEFT, "beyond": beyond})
    assert list(found) == ["left"]
    assert found["left"] == pytest.approx({"beyond": 2 / 3, "base": 1 / 3}, abs=1e-3)


def test_a_trained_merge_is_no_merge() -> None:
    merged = mix_arrays(LEFT, RIGHT, 0.5)
    for share in (0.02, 0.2):
        trained = add_noise(merged, share=share, seed=7)
        assert find({"left": LEFT, "right": RIGHT, "trained": trained}) == {}


@pytest.mark.parametrize(
    ("share", "found"), [(0.001, False), (0.01, False), (0.03, True), (0.97, True), (0.99, False)]
)
def test_a_merge_has_a_share_of_both(share: float, *, found: bool) -> None:
    left, right = ({n: a.astype(np.float64) for n, a in m.items()} for m in (LEFT, RIGHT))
    models: dict[str, Arrays] = {"left": left, "right": right}
    models["merge"] = mix_arrays(left, right, share)
    assert bool(find(models)) is found


@pytest.mark.parametrize("share", [0.2, 0.5, 0.78])
def test_a_merge_of_a_merge_and_its_parent(share: float) -> None:
    """All four lie on one line, and each of the inner two between several pairs of the others."""
    first = mix_arrays(LEFT, RIGHT, share)
    second = mix_arrays(RIGHT, first, 0.68)
    found = find({"left": LEFT, "right": RIGHT, "first": first, "second": second})
    assert found["first"] == pytest.approx({"left": share, "right": 1 - share}, abs=1e-4)
    assert found["second"] == pytest.approx({"right": 0.68, "first": 0.32}, abs=1e-4)


def test_a_merge_rounded_to_bfloat16() -> None:
    merged: dict[str, Floats] = {
        name: round_bfloat16(array).astype(np.float32)
        for name, array in mix_arrays(LEFT, RIGHT, 0.4).items()
    }
    found = find({"base": BASE, "left": LEFT, "right": RIGHT, "merge": merged})
    assert found == {"merge": pytest.approx({"left": 0.4, "right": 0.6}, abs=0.01)}


def test_rounding_and_quantising_are_no_merges() -> None:
    """Close copies of one model are not what lies between their relatives."""
    rounded = {n: round_bfloat16(a).astype(np.float32) for n, a in LEFT.items()}
    models = {"base": BASE, "left": LEFT, "rounded": rounded, "right": RIGHT}
    models["eight"] = quantise_arrays(LEFT, 8)
    assert find(models) == {}


def test_parents_have_the_child_s_matrices() -> None:
    merged = mix_arrays(LEFT, RIGHT, 0.5)
    headed = {**RIGHT, "head.weight": np.ones((5, 24), np.float32)}
    assert find({"left": LEFT, "right": headed, "merge": merged}) == {}


def test_only_candidates_take_part() -> None:
    """Of equal files one stands for all: a copy of a parent must not become a parent as well."""
    models = {"left": LEFT, "right": RIGHT, "copy": {f"module.{n}": a for n, a in RIGHT.items()}}
    models["merge"] = mix_arrays(LEFT, RIGHT, 0.5)
    family = align(models)
    places = find_places(family)
    found = search(family, ["left", "copy", "merge"])
    assert list(found) == [places["merge"]]
    assert set(found[places["merge"]].parents) == {places["left"], places["copy"]}
    assert search(family, ["left", "merge"]) == {}


@given(st.floats(0.03, 0.97), st.integers(100, 150), st.sampled_from([1e-3, 1.0, 1e3]))
@settings(max_examples=20, deadline=None)
def test_any_share_is_recovered(share: float, seed: int, scale: float) -> None:
    """Whatever the scale of the weights, and whoever else is there."""
    first = add_noise(BASE, share=0.1, seed=seed)
    models = {
        "base": BASE,
        "first": first,
        "right": RIGHT,
        "merge": mix_arrays(first, RIGHT, share),
    }
    scaled = {
        name: {n: (scale * a).astype(np.float32) for n, a in arrays.items()}
        for name, arrays in models.items()
    }
    expected = pytest.approx({"first": share, "right": 1 - share}, abs=1e-3)
    assert find(scaled) == {"merge": expected}


def test_the_real_merge_and_no_other(
    family_prints: dict[str, Fingerprint], zoo_family: Zoo
) -> None:
    """noisy-rotated = 0.6 rotated + 0.4 noisy, trained models all three."""
    family = AlignedFamily.build(family_prints)
    names = [name for name in family_prints if name != "noisy-copy"]
    ((child, merge),) = search(family, names).items()
    assert family.ids[child] == "noisy-rotated"
    assert {family.ids[m] for m in merge.parents} == {"rotated", "noisy"}
    assert family.ids[merge.main] == "rotated"
    assert merge.get_coefficient(merge.main) == pytest.approx(0.6, abs=1e-5)
    assert merge.method == "linear" and not merge.by_tensor
    assert merge.residual < 1e-6
