"""Tensors matched by their values."""

from __future__ import annotations

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.alignment import match_names
from model_heritage_backend.clustering.renaming import match_values
from tests.clustering.alterations import Array, number_tensors
from tests.clustering.models import fingerprint_arrays, load_arrays, make_arrays


@pytest.fixture(scope="module")
def base(zoo_family: Zoo) -> dict[str, Array]:
    return load_arrays(zoo_family.path("base"))


def find_truth(arrays: dict[str, Array]) -> dict[str, str]:
    """Number -> name, as ``number_tensors`` gives them."""
    return {f"tensor_{i}": name for i, name in enumerate(arrays)}


@pytest.mark.parametrize("member", ["base", "noisy"])
def test_models_without_names_are_matched(
    member: str, zoo_family: Zoo, base: dict[str, Array]
) -> None:
    """A copy whole; of a fine-tune the matrices, and vectors beyond doubt; none wrongly."""
    child = load_arrays(zoo_family.path(member))
    reference, other = fingerprint_arrays(base), fingerprint_arrays(number_tensors(child))
    found = match_values(reference, other)
    truth = find_truth(child)
    assert all(truth[name].endswith(known) for name, known in found.items())
    expected = [n for n, t in other.tensors.items() if t.is_matrix or member == "base"]
    assert set(expected) <= found.keys()
    names = match_names(reference, other)
    assert names.keys() == other.tensors.keys()
    assert len(set(names.values())) == len(names)


def test_strangers_match_nothing() -> None:
    first, second = make_arrays(1, depth=6), number_tensors(make_arrays(2, depth=6))
    assert match_values(fingerprint_arrays(first), fingerprint_arrays(second)) == {}
