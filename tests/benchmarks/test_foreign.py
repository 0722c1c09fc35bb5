"""Foreign networks learn, optimisers step as they should, and finishing does what it says."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from benchmarks import foreign, wild
from benchmarks.architectures import FOREIGN, Architecture, Kind
from benchmarks.family import Family
from benchmarks.foreign_optimisers import Lion, Muon
from benchmarks.tasks import CHARACTERS, general_task
from benchmarks.training import OPTIMISERS, Recipe, load, train_root

TINY = Architecture(
    kind=Kind.LLAMA, width=16, depth=1, hidden=16, outputs=len(CHARACTERS), heads=2, context=8
)


@pytest.mark.parametrize("kind", FOREIGN)
def test_every_network_learns(kind: Kind) -> None:
    outputs = len(CHARACTERS) if kind.reads_text else 10
    shape = replace(TINY, kind=kind, depth=2, outputs=outputs)
    task = general_task(shape, random.Random(0))

    def loss(steps: int) -> float:
        recipe = Recipe(rate=5e-3, steps=steps, batch=16, seed=1)
        module = load(shape, train_root(shape, task, recipe), 0).eval()
        return float(task.loss(module, 256, torch.Generator().manual_seed(9)).detach())

    assert loss(80) < 0.9 * loss(1)


@pytest.mark.parametrize("optimiser", list(foreign.RATES))
def test_every_optimiser_learns(optimiser: str) -> None:
    task = general_task(TINY, random.Random(0))
    rate = foreign.RATES[optimiser][1]
    before, after = (
        train_root(TINY, task, Recipe(optimiser=optimiser, rate=rate, steps=steps, batch=16))
        for steps in (1, 60)
    )
    losses = [
        float(task.loss(load(TINY, w, 0), 256, torch.Generator().manual_seed(9)).detach())
        for w in (before, after)
    ]
    assert losses[1] < losses[0]


def step_once(optimiser: type[Lion] | type[Muon]) -> torch.Tensor:
    """How a matrix moves against a gradient."""
    value = torch.nn.Parameter(torch.zeros(6, 6))
    value.grad = torch.randn(6, 6, generator=torch.Generator().manual_seed(0))
    optimiser([value], 0.1, 0.0).step()
    return value.detach()


def test_lion_moves_every_value_alike() -> None:
    assert torch.allclose(step_once(Lion).abs(), torch.tensor(0.1))


def test_muon_turns_without_stretching() -> None:
    values = torch.linalg.svdvals(step_once(Muon))
    assert values[0] < 2 * values[-1]


@pytest.fixture(scope="module")
def family() -> Family:
    family = Family("F")
    family.plant(TINY, Recipe(steps=2, batch=4), random.Random(0))
    for seed in range(3):
        task = general_task(TINY, random.Random(seed))
        recipe = Recipe(steps=2, batch=4, rate=3e-2, seed=seed)
        family.add(family.fine_tune(family.root, task, recipe, random.Random(0)))
    return family


@pytest.mark.parametrize("operation", foreign.TRAINING + foreign.FINISHING)
def test_every_operation_bears_a_network(
    family: Family, operation: wild.Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = wild.draw_recipe

    def draw_short(rng: random.Random, *, low_rank: bool = False) -> Recipe:
        return replace(draw(rng, low_rank=low_rank), steps=2, batch=4)

    monkeypatch.setattr(wild, "draw_recipe", draw_short)
    child = operation(family, family.members[1], random.Random(0))
    assert child is not None
    child.architecture.build(0).load_state_dict(child.weights)
    name = "layers.0.q_proj.weight"
    before, after = family.members[1].weights[name], child.weights[name]
    if child.operation == "thin-rows":
        assert ((after == 0).sum(1) == after.shape[1] // 2).all()
    if child.relation == "quantized":
        assert len(after[0].unique()) <= 16
        assert (after - before).norm() < 0.2 * before.norm()
    if child.operation == "soup":
        parents = [parent.weights[name] for parent, _ in child.parents]
        assert torch.allclose(after, sum(parents) / len(parents))


def test_optimisers_of_foreign_zoos_are_known() -> None:
    assert foreign.RATES.keys() <= OPTIMISERS.keys()
