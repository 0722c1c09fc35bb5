"""Which came first, the rounded model or the other: told by the noise of rounding."""

from __future__ import annotations

import numpy as np
import pytest

from model_heritage_backend.clustering.rounding import ROUNDED, TRAINED_ON, judge_rounding
from tests.clustering.families import Arrays, align, find_matrices, find_places, make_model
from tests.clustering.models import add_noise

BASE = make_model(1)
SMALL, LARGE = 2e-5, 0.1


def round_arrays(arrays: Arrays, dtype: str) -> Arrays:
    """Every matrix rounded to bf16 or fp16; no other tensors, as they would have to be as well."""
    rounded = {}
    for name, matrix in find_matrices(arrays).items():
        fraction, exponent = np.frexp(matrix)
        coarse = np.ldexp(np.round(np.ldexp(fraction, 8)), exponent - 8)
        rounded[name] = coarse if dtype == "bf16" else matrix.astype(np.float16)
    return {name: matrix.astype(np.float32) for name, matrix in rounded.items()}


def judge(first: Arrays, second: Arrays) -> float:
    family = align({"first": first, "second": second})
    places = find_places(family)
    there, back = (
        judge_rounding(family, places[a], places[b])
        for a, b in (("first", "second"), ("second", "first"))
    )
    assert there == -back
    return there


@pytest.mark.parametrize("dtype", ["bf16", "fp16"])
def test_what_was_trained_on_from_a_rounded_model_has_no_rounding_noise(dtype: str) -> None:
    rounded = round_arrays(BASE, dtype)
    assert judge(rounded, add_noise(rounded, share=SMALL, seed=1)) == TRAINED_ON


@pytest.mark.parametrize("dtype", ["bf16", "fp16"])
def test_a_rounded_child_has_rounding_noise_at_least(dtype: str) -> None:
    child = round_arrays(add_noise(BASE, share=SMALL, seed=1), dtype)
    assert judge(BASE, child) == ROUNDED


def test_steps_larger_than_the_noise_hide_it() -> None:
    rounded = round_arrays(BASE, "bf16")
    assert judge(rounded, add_noise(rounded, share=LARGE, seed=1)) == 0.0


def test_without_rounding_or_with_both_rounded_it_says_nothing() -> None:
    child = add_noise(BASE, share=SMALL, seed=1)
    assert judge(BASE, child) == 0.0
    assert judge(round_arrays(BASE, "bf16"), round_arrays(child, "bf16")) == 0.0
