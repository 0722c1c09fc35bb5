"""Merges against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks import merging


def test_three_models_are_blended() -> None:
    models = [{"w": torch.tensor([float(i)]), "n": torch.tensor(i)} for i in (1, 2, 4)]
    blended = merging.blend(models, coefficients=(0.5, 0.25, 0.25))
    assert blended["w"].item() == pytest.approx(2.0)
    assert blended["n"].item() == 1, "what is no float is the first's"


def test_slerp_turns_at_constant_speed() -> None:
    first, second = {"w": torch.tensor([1.0, 0.0])}, {"w": torch.tensor([0.0, 1.0])}
    turned = merging.slerp(first, second, coefficient=2 / 3)["w"]
    assert turned.tolist() == pytest.approx([math.cos(math.pi / 6), math.sin(math.pi / 6)])


def test_slerp_of_parallel_tensors_is_their_mean() -> None:
    first, second = {"w": torch.tensor([1.0, 1.0])}, {"w": torch.tensor([3.0, 3.0])}
    assert merging.slerp(first, second, coefficient=0.25)["w"].tolist() == [2.5, 2.5]


def test_task_vectors_are_added_but_statistics_averaged() -> None:
    base = {"w": torch.tensor([1.0]), "running_var": torch.tensor([1.0])}
    models = [
        {"w": torch.tensor([2.0]), "running_var": torch.tensor([0.2])},
        {"w": torch.tensor([0.0]), "running_var": torch.tensor([0.4])},
    ]
    merged = merging.add_task_vectors(base, models, factors=(0.8, 0.5))
    assert merged["w"].item() == pytest.approx(1 + 0.8 - 0.5)
    assert merged["running_var"].item() == pytest.approx(0.3)


def test_ties_trims_elects_and_averages_what_agrees() -> None:
    base = {"w": torch.zeros(4)}
    models = [
        {"w": torch.tensor([4.0, 3.0, 0.1, -2.0])},
        {"w": torch.tensor([2.0, -5.0, 0.2, 0.1])},
    ]
    # Kept of the first: 4, 3, -2; of the second: 2, -5, 0.2. Signs: +, -, +, -.
    merged = merging.ties(base, models, density=0.75, factor=0.5)["w"]
    assert merged.tolist() == pytest.approx([1.5, -2.5, 0.1, -1.0])


def test_dare_drops_a_share_and_keeps_the_mean() -> None:
    base, model = {"w": torch.ones(20_000)}, {"w": torch.full((20_000,), 2.0)}
    moved = merging.dare(base, [model], factors=[1.0], drop=0.8, seed=0)["w"] - 1
    assert sorted(set(moved.tolist())) == pytest.approx([0.0, 5.0])
    assert float((moved == 0).float().mean()) == pytest.approx(0.8, abs=0.02)
