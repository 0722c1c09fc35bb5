from __future__ import annotations

import pytest

from model_heritage_backend.clustering.delta_storage import estimate_saving


def describe(size: int, changed: float, rank: int | None = None) -> dict[str, object]:
    return {"size": size, "changed": changed, "delta_rank": rank}


def test_what_the_parent_gives_alone_costs_nothing() -> None:
    assert estimate_saving("duplicate", None) == estimate_saving("cast", None) == 1.0


def test_equal_matrices_are_saved_and_trained_ones_are_not() -> None:
    matrices = [describe(300, 0.0), describe(100, 1.0)]
    assert estimate_saving("partial", {"matrices": matrices}) == pytest.approx(0.75)


def test_low_rank_costs_its_factors() -> None:
    """100 x 100 by rank 5: 2 * 5 * 100 values instead of 10,000."""
    matrices = [describe(10_000, 1.0, 5)]
    assert estimate_saving("adapter", {"matrices": matrices}) == pytest.approx(0.9)
    assert estimate_saving("adapter", {"matrices": [describe(4, 1.0, 2)]}) == 0.0


def test_of_a_pruned_copy_the_mask_is_left() -> None:
    assert estimate_saving("pruned", {"matrices": [describe(100, 0.6)]}) == pytest.approx(15 / 16)


@pytest.mark.parametrize("evidence", [None, {"matrices": []}])
def test_nothing_is_claimed_without_a_measure(evidence: dict[str, object] | None) -> None:
    assert estimate_saving("finetune", evidence) is None
