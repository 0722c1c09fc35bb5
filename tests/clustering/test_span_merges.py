"""Sums of members beyond the plain mean of two: by hand on numbers, for real on trained models."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.copies import round_bfloat16
from model_heritage_backend.clustering.merge_search import find_merges
from model_heritage_backend.clustering.merges import Merge, MergeMethod
from tests.clustering.families import Arrays, Floats, align, make_model
from tests.clustering.models import add_noise, load_arrays

BASE = make_model(1, width=48, depth=3)
A, B, C, D = (add_noise(BASE, share=0.2, seed=seed) for seed in (1, 2, 3, 4))
PREFIX = re.compile(r"^((module|model|_orig_mod)\.)+")
FAMILY = {"base": BASE, "a": A, "b": B, "c": C, "d": D}


def add_up(models: Mapping[str, Arrays], shares: Mapping[str, float]) -> dict[str, Floats]:
    first = next(iter(models.values()))
    return {
        name: np.sum([np.float32(s) * models[m][name] for m, s in shares.items()], axis=0)
        for name in first
    }


def turn(first: Floats, second: Floats, t: float) -> Floats:
    cosine = float((first * second).sum() / np.linalg.norm(first) / np.linalg.norm(second))
    angle = np.arccos(min(cosine, 1.0)) + 1e-9
    turned = np.sin((1 - t) * angle) * first + np.sin(t * angle) * second
    return (turned / np.sin(angle)).astype(np.float32)


def find(models: Mapping[str, Arrays]) -> dict[str, tuple[Merge, dict[str, float | None]]]:
    family = align(models)
    return {
        family.ids[child]: (
            merge,
            {family.ids[p]: merge.get_coefficient(p) for p in merge.parents},
        )
        for child, merge in find_merges(family, range(len(family))).items()
    }


@pytest.mark.parametrize(
    "shares",
    [
        {"a": 0.5, "b": 0.3, "c": 0.2},
        {"a": 0.4, "b": 0.3, "c": 0.2, "base": 0.1},
        {"a": 0.3, "b": 0.25, "c": 0.2, "d": 0.15, "base": 0.1},
    ],
)
@pytest.mark.parametrize("rounded", [False, True])
def test_linear_merges_of_several(shares: dict[str, float], *, rounded: bool) -> None:
    merged = add_up(FAMILY, shares)
    if rounded:
        merged = {n: round_bfloat16(a).astype(np.float32) for n, a in merged.items()}
    found = find(FAMILY | {"merge": merged})
    assert list(found) == ["merge"]
    merge, told = found["merge"]
    assert merge.method is MergeMethod.LINEAR
    assert told == pytest.approx(shares, abs=0.01 if rounded else 1e-5)


def test_task_arithmetic_names_what_was_computed() -> None:
    """base + 0.9 (a - base) + 0.7 (b - base): any of the four follows from the other three."""
    moved = {n: BASE[n] + (0.9 * (A[n] - BASE[n]) + 0.7 * (B[n] - BASE[n])) for n in BASE}
    found = find(FAMILY | {"merge": {n: a.astype(np.float32) for n, a in moved.items()}})
    assert list(found) == ["merge"]
    merge, told = found["merge"]
    assert merge.method is MergeMethod.TASK_ARITHMETIC
    assert told == pytest.approx({"a": 0.9, "b": 0.7, "base": -0.6}, abs=1e-4)
    assert merge.base is not None and merge.get_coefficient(merge.base) == pytest.approx(-0.6)


@pytest.mark.parametrize("whole", [False, True])
def test_slerp(*, whole: bool) -> None:
    if whole:
        flat = turn(*(np.concatenate([m[n].ravel() for n in BASE]) for m in (A, B)), 0.3)
        ends = np.cumsum([a.size for a in BASE.values()])[:-1]
        parts = np.split(flat, ends)
        turned = {n: p.reshape(BASE[n].shape) for n, p in zip(BASE, parts, strict=True)}
    else:
        turned = {n: turn(A[n], B[n], 0.3) for n in BASE}
    merge, told = find(FAMILY | {"merge": turned})["merge"]
    assert (merge.method, merge.by_tensor) == (MergeMethod.SLERP, False)
    assert told == pytest.approx({"a": 0.7, "b": 0.3}, abs=0.01)
    assert merge.parameters["t"] == pytest.approx(merge.coefficients[1])


def test_shares_that_differ_by_layer() -> None:
    """0.2, 0.5 and 0.8 of a in the three blocks."""
    shares = {0: 0.2, 1: 0.5, 2: 0.8}
    mixed = {}
    for name in BASE:
        share = shares[int(name.split(".")[1])] if "blocks" in name else 0.5
        mixed[name] = (share * A[name] + (1 - share) * B[name]).astype(np.float32)
    family = FAMILY | {"merge": mixed}
    merge, told = find(family)["merge"]
    assert merge.by_tensor and set(told) == {"a", "b"}
    places = dict(zip(align(family).ids, range(len(family)), strict=True))
    assert merge.get_gradient(places["a"]) == pytest.approx((0.2, 0.5, 0.8), abs=1e-4)


def test_a_body_and_a_head_of_two_others_are_no_merge() -> None:
    """base has what "left" left alone and what "right" left alone, and is the parent of both."""
    left = {n: A[n] if "blocks.0" in n else BASE[n] for n in BASE}
    right = {n: BASE[n] if "blocks.0" in n else B[n] for n in BASE}
    assert find({"base": BASE, "left": left, "right": right, "c": C}) == {}


def test_merges_that_share_parents() -> None:
    """m = (a + b + c) / 3, n = 0.6 m + 0.4 d: n has two parents, not four."""
    models: dict[str, Arrays] = dict(FAMILY)
    models["m"] = add_up(FAMILY, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    models["n"] = add_up(models, {"m": 0.6, "d": 0.4})
    found = find(models)
    assert {child: set(told) for child, (_, told) in found.items()} == {
        "m": {"a", "b", "c"},
        "n": {"m", "d"},
    }


def test_trained_models(zoo_family: Zoo) -> None:
    """What training made is no sum of others; what is added up from it is one."""
    models: dict[str, Arrays] = {}
    for name in ("base", "noisy", "rotated"):
        arrays = load_arrays(zoo_family.path(name))
        models[name] = {PREFIX.sub("", n): array for n, array in arrays.items()}
    assert find(models) == {}
    shares = {"rotated": 0.8, "noisy": 0.7, "base": -0.5}
    moved = {
        n: (b + (0.8 * (models["rotated"][n] - b) + 0.7 * (models["noisy"][n] - b))).astype(b.dtype)
        for n, b in models["base"].items()
    }
    found = find(models | {"merge": moved})
    assert {child: told for child, (_, told) in found.items()} == {
        "merge": pytest.approx(shares, abs=1e-4)
    }
