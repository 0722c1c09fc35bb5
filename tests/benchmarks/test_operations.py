"""Operations on the weights of a really trained model."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from benchmarks import operations
from benchmarks.training import Weights
from benchmarks.zoo import Zoo


@pytest.fixture
def weights(zoo_family: Zoo) -> Weights:
    """The base model's tensors."""
    loaded: Weights = load_file(zoo_family.path("base"))
    return loaded


def find_matrix(weights: Weights) -> torch.Tensor:
    return next(v for n, v in weights.items() if n.endswith("fc1.weight"))


@pytest.mark.parametrize("bits", [8, 4])
def test_quantised_rows_lie_on_their_own_grid(weights: Weights, bits: int) -> None:
    matrix = find_matrix(operations.quantise(weights, bits=bits, per_row=True))
    for row in matrix:
        steps = row / row.abs().max() * (2 ** (bits - 1) - 1)
        assert torch.allclose(steps, steps.round(), atol=1e-3)
    assert len(set(matrix[0].tolist())) <= 2**bits


def test_one_grid_for_the_tensor(weights: Weights) -> None:
    matrix = find_matrix(operations.quantise(weights, bits=4, per_row=False))
    assert len(set(matrix.flatten().tolist())) <= 15


def test_cast_rounds_and_may_be_stored_wide(weights: Weights) -> None:
    narrow = operations.cast(weights, dtype="bf16", stored="bf16")
    wide = operations.cast(weights, dtype="bf16", stored="fp32")
    assert find_matrix(narrow).dtype is torch.bfloat16
    assert find_matrix(wide).dtype is torch.float32
    assert operations.same_values(narrow, wide)
    assert not operations.same_values(narrow, weights)


def test_pruning_removes_the_smallest(weights: Weights) -> None:
    before, after = find_matrix(weights), find_matrix(operations.prune(weights, share=0.4))
    assert float((after == 0).float().mean()) == pytest.approx(0.4, abs=0.01)
    assert before[after == 0].abs().max() <= before[after != 0].abs().min()
    assert torch.equal(before[after != 0], after[after != 0])


def test_merge_is_the_weighted_mean(weights: Weights) -> None:
    negative = {name: -value for name, value in weights.items()}
    merged = operations.merge(weights, negative, coefficient=0.75)
    assert torch.allclose(find_matrix(merged), 0.5 * find_matrix(weights))


def test_duplicate_owns_its_memory(weights: Weights) -> None:
    copy = operations.duplicate(weights)
    assert operations.same_values(copy, weights)
    find_matrix(copy).zero_()
    assert not operations.same_values(copy, weights)
