"""Samples of many members at once, and the distances between them."""

from __future__ import annotations

import numpy as np
import pytest

from model_heritage_backend.clustering.sample_stacks import (
    list_blocks,
    measure_squares,
    stack_samples,
)
from tests.clustering.families import Arrays, align, find_places, make_model
from tests.clustering.models import add_noise

BASE = make_model(1)
NAME = "blocks.0.dense.weight"


def test_equal_samples_have_one_label() -> None:
    models: dict[str, Arrays] = {"a": BASE, "b": add_noise(BASE, share=0.1, seed=1)}
    models["c"] = {**models["b"], NAME: BASE[NAME]}
    family = align(models)
    places = find_places(family)
    (stack,) = stack_samples(family, range(3), NAME)
    label = dict(zip(stack.places, stack.labels, strict=True))
    assert label[places["a"]] == label[places["c"]] != label[places["b"]]
    assert sorted(stack.labels[stack.distinct]) == [0, 1]
    (block,) = list_blocks(family, range(3), NAME)
    a, b, c = (places[name] for name in "abc")
    to_c, to_b, from_c, back = block.measure_squares(np.array([a, a, c, b]), np.array([c, b, b, a]))
    assert to_c == 0.0
    assert to_b == from_c == back > 0.0, "to the last bit"
    assert block.measure_norms()[0][a] == pytest.approx((stack.samples[a] ** 2).sum())


def test_a_longer_vocabulary_is_compared_row_by_row() -> None:
    """Sampled rows are not the same places of the two samples."""
    tokens = np.random.default_rng(0).standard_normal((90, 30)).astype(np.float32)
    longer = np.vstack([tokens, np.ones((6, 30), np.float32)])
    family = align({"a": {"t": tokens}, "b": {"t": longer}, "c": {"t": longer[:60]}})
    assert len(stack_samples(family, range(3), "t")) == 3
    mixed = [block for block in list_blocks(family, range(3), "t") if not block.is_uniform]
    (block,) = mixed
    places = find_places(family)
    assert {*block.first.places, *block.second.places} == {places["a"], places["b"]}
    assert block.measure_squares(np.array([0]), np.array([0])) == 0.0
    known, i, j = block.find_pairs(np.array([[0, 1], [1, 2], [0, 2]]))
    assert len(known) == len(i) == len(j) == 1


@pytest.mark.parametrize("step", [1e-1, 1e-4, 1e-7])
def test_near_members_keep_their_digits(step: float) -> None:
    """However far they are from the one that all are measured from."""
    rng = np.random.default_rng(0)
    far, near = rng.standard_normal((2, 1, 8, 8))
    stack = np.concatenate([far, near, near + step * rng.standard_normal((1, 8, 8))])
    squares = measure_squares(stack, stack)
    expected = ((stack[:, None] - stack[None]) ** 2).sum((2, 3))
    np.testing.assert_allclose(squares, expected, rtol=1e-4)
    np.testing.assert_array_equal(squares, squares.T)
    np.testing.assert_allclose(measure_squares(stack[:1], stack[1:]), expected[:1, 1:])
