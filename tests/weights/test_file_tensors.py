"""Strides and ranges, against numpy's own indexing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_heritage_backend.weights import file_tensors
from model_heritage_backend.weights.file_tensors import (
    StridedTensor,
    Window,
    is_contiguous,
    split_range,
)
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.tensors import DType

SHAPES = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple)


@given(shape=SHAPES, data=st.data())
def test_boxes_cover_a_range_in_order(shape: tuple[int, ...], data: st.DataObject) -> None:
    size = math.prod(shape)
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    numbers = np.arange(size).reshape(shape)

    boxes = list(split_range(shape, start, stop))

    parts = [
        numbers[tuple(slice(f, f + n) for f, n in zip(first, counts, strict=True))].ravel()
        for first, counts in boxes
    ]
    found = np.concatenate(parts) if parts else np.empty(0)
    np.testing.assert_array_equal(found, np.arange(start, stop))
    assert len(boxes) <= 2 * len(shape)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=SHAPES, data=st.data(), free=st.sampled_from([4, 64, 1 << 14]))
def test_any_view_is_gathered(
    tmp_path: Path, shape: tuple[int, ...], data: st.DataObject, free: int
) -> None:
    """Also when almost nothing may be read at once, so that boxes are halved to single values."""
    strides = tuple(data.draw(st.integers(0, 40)) for _ in shape)
    offset = data.draw(st.integers(0, 20))
    span = offset + 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    storage = np.arange(span, dtype=np.int32)
    path = tmp_path / "storage"
    path.write_bytes(b"12345678" + storage.tobytes())
    expected = np.lib.stride_tricks.as_strided(
        storage[offset:], shape, tuple(4 * s for s in strides)
    ).ravel()
    start = data.draw(st.integers(0, expected.size))
    stop = data.draw(st.integers(start, expected.size))

    file = OpenFile(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_tensors, "FREE_SPAN_BYTES", free)
        tensor = StridedTensor(file, "t", shape, DType.I32, 8 + 4 * offset, strides, Window())
        np.testing.assert_array_equal(tensor.read_raw(start, stop), expected[start:stop])
    file.close()


@pytest.mark.parametrize(
    ("shape", "strides", "expected"),
    [
        ((2, 3), (3, 1), True),
        ((2, 3), (1, 2), False),
        ((1, 3), (99, 1), True),
        ((3, 1), (1, 99), True),
        ((2, 3), (6, 2), False),
        ((2, 2), (0, 1), False),
        ((), (), True),
        ((1,), (0,), True),
    ],
)
def test_contiguity(shape: tuple[int, ...], strides: tuple[int, ...], expected: bool) -> None:
    assert is_contiguous(shape, strides) is expected
