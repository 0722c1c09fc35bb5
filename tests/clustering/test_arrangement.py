"""Tensors read in another order are what numpy makes of them, whatever piece is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from model_heritage_backend.clustering.arrangement import (
    ArrangedTensor,
    ArrangedWeights,
    Arrangement,
    TensorOrder,
    arrange,
)
from model_heritage_backend.weights.tensors import DType, Quantisation
from tests.clustering.models import ArrayTensor, fingerprint_arrays

RNG = np.random.default_rng(0)
MATRIX = RNG.standard_normal((5, 7)).astype(np.float32)
ROWS, COLUMNS = RNG.permutation(5), RNG.permutation(7)
FACTORS = np.array([2.0, 1.0, 0.5, 4.0, 1.0])


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (TensorOrder("x", rows=ROWS), MATRIX[ROWS]),
        (TensorOrder("x", columns=COLUMNS), MATRIX[:, COLUMNS]),
        (TensorOrder("x", ROWS, COLUMNS), MATRIX[ROWS][:, COLUMNS]),
        (TensorOrder("x", ROWS, None, FACTORS), MATRIX[ROWS] * FACTORS[:, None]),
    ],
)
def test_any_piece_is_that_of_the_whole(
    order: TensorOrder, expected: np.ndarray[tuple[int, int], np.dtype[np.float32]]
) -> None:
    tensor = ArrangedTensor(ArrayTensor("w", MATRIX), order)
    flat = expected.astype(np.float32).ravel()
    for start, stop in ((0, 35), (3, 4), (6, 15), (7, 14), (34, 35)):
        np.testing.assert_array_equal(tensor.read_raw(start, stop), flat[start:stop])
    np.testing.assert_array_equal(tensor.read_rows(1, 3), expected[1:3])


def test_vectors_and_halves() -> None:
    vector = np.arange(5, dtype=np.float16)
    order = TensorOrder("b", rows=ROWS)
    tensor = ArrangedTensor(ArrayTensor("b", vector), order)
    assert tensor.dtype is DType.F16, "order alone changes no value"
    np.testing.assert_array_equal(tensor.read_raw(1, 4), vector[ROWS][1:4])
    scaled = ArrangedTensor(ArrayTensor("b", vector), TensorOrder("b", row_factors=FACTORS))
    assert scaled.dtype is DType.F32
    np.testing.assert_array_equal(scaled.read_rows(0, 5)[:, 0], vector * FACTORS)


def test_a_fingerprint_tells_arrangements_apart() -> None:
    arrays = {"a.w": MATRIX, "a.b": MATRIX[:, 0].copy()}
    known = fingerprint_arrays(arrays)
    tensors = {name: ArrayTensor(name, array) for name, array in arrays.items()}
    names = {name: name for name in known.tensors}
    plain = Arrangement({n: TensorOrder(n) for n in names})
    moved = Arrangement(
        {n: TensorOrder(n, rows=ROWS, columns=COLUMNS if n == "w" else None) for n in names}
    )
    weights = dict(zip(("w", "b"), tensors.values(), strict=True))
    found = arrange(weights, known, moved)
    assert found.fingerprint.checksum[:32] == known.checksum[:32]
    assert found.fingerprint.checksum != arrange(weights, known, plain).fingerprint.checksum
    back = Arrangement(
        {
            n: TensorOrder(n, np.argsort(ROWS), np.argsort(COLUMNS) if n == "w" else None)
            for n in names
        }
    )
    again = arrange(ArrangedWeights(weights, moved), known, back).fingerprint
    for name, tensor in known.tensors.items():
        assert again.tensors[name].value_digest == tensor.value_digest
    assert moved.changes
    assert not plain.changes


class Quantised(ArrayTensor):
    """Values that may lie up to 1 below and 2 above what they were rounded from."""

    quantisation = Quantisation(name="Q4_0", bits=4, block=1)

    def read_cells(self, start: int, stop: int) -> np.ndarray:
        values = self.read_raw(start, stop)
        return np.stack([values - 1, values + 2])


def test_what_values_were_rounded_from_moves_with_them() -> None:
    source = Quantised("w", MATRIX)
    moved = ArrangedTensor(source, TensorOrder("x", ROWS, COLUMNS))
    values = MATRIX[ROWS][:, COLUMNS].ravel()
    assert moved.quantisation == source.quantisation
    for start, stop in ((0, 35), (3, 20), (7, 14)):
        expected = np.stack([values - 1, values + 2])[:, start:stop]
        np.testing.assert_array_equal(moved.read_cells(start, stop), expected)
    scaled = ArrangedTensor(source, TensorOrder("x", ROWS, None, FACTORS))
    assert scaled.quantisation is None


def test_names_change_on_either_side() -> None:
    order = Arrangement({"a": TensorOrder("x", rows=ROWS), "b": TensorOrder("y")})
    assert [o.name for o in order.call({"x": "z"}).tensors.values()] == ["z", "y"]
    renamed = order.rename({"c": "a", "x": "x"}).tensors
    assert renamed["c"].rows is ROWS
    assert renamed["x"].name == "x (other)", "another tensor has that name now"
