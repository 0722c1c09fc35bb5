"""What is read of two models at once, and how it is divided."""

from __future__ import annotations

import numpy as np
import pytest

from model_heritage_backend.clustering import paired_tensors
from model_heritage_backend.clustering.paired_tensors import (
    PairedMatrices,
    Shared,
    group_by_shape,
    take_portions,
)
from tests.clustering.models import ArrayWeights

RNG = np.random.default_rng(1)
FIRST = {name: RNG.standard_normal((rows, 4)) for name, rows in (("a", 6), ("b", 8), ("c", 6))}
SECOND = {name: array[:6] + 0.1 * RNG.standard_normal((6, 4)) for name, array in FIRST.items()}


def pair() -> list[Shared]:
    a, b = ArrayWeights(FIRST), ArrayWeights(SECOND)
    return [Shared(number, name, a[name], b[name]) for number, name in enumerate(FIRST)]


def test_a_stack_holds_what_each_tensor_holds() -> None:
    """Of the longer one the first rows count."""
    SECOND["c"][0, :2] = FIRST["c"][0, :2]
    (group,) = group_by_shape(pair())
    stack = PairedMatrices.read(group)
    assert (stack.names, stack.size) == (("a", "b", "c"), 24)
    assert stack.changed.tolist() == [24, 24, 22]
    for place, name in enumerate("abc"):
        x, y = FIRST[name][:6], SECOND[name]
        rows = np.stack([(v**2).sum(1) for v in (x, y, y - x)])
        np.testing.assert_allclose(stack.squares[:, place], rows)
        assert stack.larger[place] == (np.abs(y) > np.abs(x)).sum()
    assert stack.find({2, 0}).tolist() == [0, 2]


def test_portions_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired_tensors, "WINDOW_VALUES", 48)
    assert [len(portion) for portion in take_portions(pair())] == [2, 1]
    monkeypatch.setattr(paired_tensors, "WINDOW_VALUES", 10)
    assert [len(portion) for portion in take_portions(pair())] == [1, 1, 1]
    assert list(take_portions([])) == []
