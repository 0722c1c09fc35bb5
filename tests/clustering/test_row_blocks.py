"""Blocks of rows: the same rows of both models, and what they say is what the whole says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_heritage_backend.clustering.edge_measures import measure_edge
from model_heritage_backend.clustering.row_blocks import RowBlocks, limit_bytes
from tests.clustering.models import ArrayWeights

RNG = np.random.default_rng(0)
BASE = {
    "a.weight": RNG.normal(size=(400, 32)).astype(np.float32),
    "b.weight": RNG.normal(size=(64, 8, 3, 3)).astype(np.float32),
    "b.bias": RNG.normal(size=64).astype(np.float32),
}
CHILD = {
    name: value + RNG.normal(scale=0.05, size=value.shape).astype(np.float32)
    for name, value in BASE.items()
}
TOTAL = sum(value.nbytes for value in BASE.values())


@given(st.integers(1, 400), st.floats(0.001, 1), st.data())
def test_blocks_are_rows_of_the_whole_in_order(
    rows: int, share: float, data: st.DataObject
) -> None:
    whole = np.arange(400 * 3, dtype=np.float32).reshape(400, 3)
    part = RowBlocks(ArrayWeights({"w": whole})["w"], rows=rows, share=share)
    found = part.read_rows(0, part.row_count)
    places = (found[:, 0] / 3).astype(int)
    assert (found == whole[places]).all()
    assert (np.diff(places) > 0).all()
    assert places[-1] < rows
    assert abs(len(places) - rows * share) <= 8
    start = data.draw(st.integers(0, part.size))
    stop = data.draw(st.integers(start, part.size))
    assert part.read_raw(start, stop).tolist() == found.ravel()[start:stop].tolist()


def test_small_models_are_read_whole() -> None:
    a, b = ArrayWeights(BASE), ArrayWeights(CHILD)
    assert limit_bytes(a, b, TOTAL) == (a, b)


def test_a_part_tells_what_the_whole_tells() -> None:
    a, b = ArrayWeights(BASE), ArrayWeights(CHILD)
    part = limit_bytes(a, b, TOTAL // 4)
    read = sum(tensor.nbytes for tensor in part[0].values())
    assert read == pytest.approx(TOTAL / 4, rel=0.1)
    found, whole = (measure_edge(x, y, roundoff=2.0**-24) for x, y in (part, (a, b)))
    assert found.relative_change == pytest.approx(whole.relative_change, rel=0.05)
    assert found.norm_growth == pytest.approx(whole.norm_growth, abs=0.5)
    assert [m.name for m in found.matrices] == [m.name for m in whole.matrices]
    assert found.vectors_changed == whole.vectors_changed == 1


def test_both_lose_the_same_rows_where_one_has_more() -> None:
    longer = {**BASE, "a.weight": np.concatenate([BASE["a.weight"]] * 2)}
    for pair in ((BASE, longer), (longer, BASE)):
        part = limit_bytes(ArrayWeights(pair[0]), ArrayWeights(pair[1]), TOTAL // 8)
        assert measure_edge(*part, roundoff=2.0**-24).relative_change == 0.0
