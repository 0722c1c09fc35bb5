"""TIES and DARE, value by value, and what only looks like them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from model_heritage_backend.clustering.merge_search import find_merges
from model_heritage_backend.clustering.merges import Merge, MergeMethod
from tests.clustering.families import Arrays, Floats, align, make_model
from tests.clustering.models import add_noise

BASE = make_model(1, width=48, depth=3)
A, B, C = (add_noise(BASE, share=0.2, seed=seed) for seed in (1, 2, 3))
FAMILY = {"base": BASE, "a": A, "b": B, "c": C, "d": add_noise(A, share=0.1, seed=4)}


def merge_ties(models: list[Arrays], *, density: float, factor: float) -> dict[str, Floats]:
    """Trim, elect signs, average those that agree (Yadav et al. 2023)."""
    merged = {}
    for name, base in BASE.items():
        deltas = np.stack([model[name] - base for model in models])
        for delta in deltas:
            delta[np.abs(delta) < np.quantile(np.abs(delta), 1 - density)] = 0.0
        agree = deltas * np.sign(deltas.sum(0)) > 0
        mean = (deltas * agree).sum(0) / np.maximum(agree.sum(0), 1)
        merged[name] = (base + np.float32(factor) * mean).astype(np.float32)
    return merged


def merge_dare(factors: Mapping[str, float], *, drop: float) -> dict[str, Floats]:
    """Differences dropped at random, the rest divided by what is kept (Yu et al. 2024)."""
    rng = np.random.default_rng(0)
    merged = {}
    for name, base in BASE.items():
        moved = np.zeros_like(base)
        for model, factor in factors.items():
            kept = rng.random(base.shape) >= drop
            moved += np.float32(factor / (1 - drop)) * kept * (FAMILY[model][name] - base)
        merged[name] = base + moved
    return merged


def find(models: Mapping[str, Arrays]) -> dict[str, tuple[Merge, dict[str, float | None]]]:
    family = align(models)
    return {
        family.ids[child]: (
            merge,
            {family.ids[p]: merge.get_coefficient(p) for p in merge.parents},
        )
        for child, merge in find_merges(family, range(len(family))).items()
    }


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c")])
def test_ties(names: tuple[str, ...]) -> None:
    """With a factor above 1 the base might as well be a merge of the others and the child, but for
    which values are kept."""
    merged = merge_ties([FAMILY[n] for n in names], density=0.4, factor=1.1)
    found = find(FAMILY | {"merge": merged})
    assert list(found) == ["merge"]
    merge, told = found["merge"]
    assert merge.method is MergeMethod.TIES
    assert told == dict.fromkeys((*names, "base"))
    assert merge.parameters["lambda"] == pytest.approx(1.1, rel=1e-4)
    assert merge.parameters["density"] == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("drop", [0.3, 0.8])
def test_dare(drop: float) -> None:
    merged = merge_dare({"a": 0.8, "b": 0.5, "c": 0.4}, drop=drop)
    found = find(FAMILY | {"merge": merged})
    assert list(found) == ["merge"]
    merge, told = found["merge"]
    assert merge.method is MergeMethod.DARE
    assert told == pytest.approx({"a": 0.8, "b": 0.5, "c": 0.4, "base": -0.7}, abs=0.05)
    assert merge.parameters["density"] == pytest.approx(1 - drop, abs=0.02)


def test_a_trained_ties_merge_is_none() -> None:
    merged = merge_ties([A, B], density=0.4, factor=1.0)
    assert find(FAMILY | {"trained": add_noise(merged, share=0.01, seed=9)}) == {}


def test_a_sparse_update_of_one_model_is_no_merge() -> None:
    """Half of a's step, or of nobody's: there is no second model."""
    kept = {n: np.where(np.abs(A[n]) > np.median(np.abs(A[n])), A[n], BASE[n]) for n in BASE}
    own = {n: np.where(np.abs(A[n]) > 0.02, BASE[n] * 1.1, BASE[n]) for n in BASE}
    assert find(FAMILY | {"kept": kept, "own": own}) == {}


def test_matrices_of_one_model_each_are_no_merge() -> None:
    """Half of a's step in some matrices, half of b's in others: no rule holds for all of them."""
    rng = np.random.default_rng(0)
    parts = {}
    for name, base in BASE.items():
        model = A if "attention" in name else B
        parts[name] = np.where(rng.random(base.shape) < 0.5, model[name], base)
    assert find(FAMILY | {"parts": parts}) == {}


def test_a_base_that_is_not_there_is_not_guessed() -> None:
    """c is no base: hardly any value of the merge is its own."""
    merged = merge_dare({"a": 0.8, "b": 0.5}, drop=0.5)
    family = {name: FAMILY[name] for name in ("a", "b", "c", "d")}
    assert find(family | {"merge": merged}) == {}
