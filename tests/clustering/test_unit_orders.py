"""Real models with their units in another order, put back by the values of a relative."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.arrangement import ArrangedWeights
from model_heritage_backend.clustering.relatedness import pair_names
from model_heritage_backend.clustering.unit_orders import find_arrangement
from model_heritage_backend.fingerprints.names import canonicalise_names
from tests.clustering.alterations import (
    Array,
    number_tensors,
    permute_hidden,
    permute_residual,
    scale_values,
)
from tests.clustering.models import ArrayTensor, fingerprint_arrays, load_arrays


def load(zoo: Zoo, name: str) -> dict[str, Array]:
    arrays = load_arrays(zoo.path(name))
    names = canonicalise_names(arrays)
    return {names[name]: array for name, array in arrays.items()}


@pytest.fixture(scope="module")
def base(zoo_family: Zoo) -> dict[str, Array]:
    return load(zoo_family, "base")


@pytest.fixture(scope="module")
def child(zoo_family: Zoo) -> dict[str, Array]:
    return load(zoo_family, "noisy")


def put_back(
    reference: Mapping[str, Array], altered: Mapping[str, Array], *, guessed: bool = False
) -> dict[str, Array]:
    names = {name: name for name in altered}
    if guessed:
        names = pair_names(fingerprint_arrays(reference), fingerprint_arrays(altered))
    first, second = (
        {name: ArrayTensor(name, array) for name, array in arrays.items()}
        for arrays in (reference, altered)
    )
    found = find_arrangement(first, second, names, guessed=guessed)
    moved = ArrangedWeights(second, found)
    return {n: t.read_rows(0, t.row_count).reshape(t.shape) for n, t in moved.items()}


def test_all_units_come_back(base: dict[str, Array], child: dict[str, Array]) -> None:
    """To the last bit, positions and the class token too."""
    altered = permute_residual(permute_hidden(child, 3), 4)
    found = put_back(base, altered)
    for name, array in child.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_names_come_back_with_the_units(base: dict[str, Array], child: dict[str, Array]) -> None:
    altered = number_tensors(permute_residual(permute_hidden(child, 3), 4))
    found = put_back(base, altered, guessed=True)
    for name, array in child.items():
        if array.ndim == 2:
            np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_what_is_in_order_stays(base: dict[str, Array], child: dict[str, Array]) -> None:
    found = put_back(base, child)
    assert all(np.array_equal(found[name], array) for name, array in child.items())


def test_channels_keep_their_kernels() -> None:
    """Convolutions: the channels of one are the inputs of the next, nine places each; a dense
    layer has four places of each channel.
    """
    rng = np.random.default_rng(0)
    shapes = {"a.weight": (24, 3, 3, 3), "b.weight": (40, 24, 3, 3), "c.weight": (20, 160)}
    first = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    child = {n: v + rng.normal(0, 0.3, v.shape).astype(np.float32) for n, v in first.items()}
    p, q = rng.permutation(24), rng.permutation(40)
    places = (q[:, None] * 4 + np.arange(4)).ravel()
    altered = {
        "a.weight": child["a.weight"][p],
        "b.weight": child["b.weight"][q][:, p],
        "c.weight": child["c.weight"][:, places],
    }
    found = put_back(first, altered)
    for name, array in child.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_scales_come_back(base: dict[str, Array], child: dict[str, Array]) -> None:
    found = put_back(base, scale_values(child, 5))
    matrices = {name: array for name, array in child.items() if array.ndim == 2}
    for name, array in matrices.items():
        error = np.linalg.norm(found[name] - array) / np.linalg.norm(array)
        step = np.linalg.norm(base[name] - array) / np.linalg.norm(array)
        assert error < 0.35 * step + 1e-6, name
