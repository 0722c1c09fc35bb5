"""Training really learns, and changes what it says it changes."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from benchmarks.architectures import USUAL, Architecture, Kind, is_head
from benchmarks.tasks import CHARACTERS, DigitsTask, TextTask, general_task
from benchmarks.training import (
    Recipe,
    Weights,
    adapt,
    choose_trained,
    fine_tune,
    load,
    relative_change,
    train_root,
)

SHAPES = {
    Kind.VIT: Architecture(kind=Kind.VIT, width=16, depth=2, hidden=32, outputs=10, heads=2),
    Kind.GPT: Architecture(
        kind=Kind.GPT, width=16, depth=2, hidden=32, outputs=len(CHARACTERS), heads=2, context=12
    ),
    Kind.CNN: Architecture(kind=Kind.CNN, width=8, depth=3, hidden=16, outputs=10),
    Kind.MLP: Architecture(kind=Kind.MLP, width=32, depth=3, hidden=16, outputs=10),
}
RECIPE = Recipe(rate=3e-3, steps=10, batch=16, seed=1)


@pytest.fixture(scope="module", params=USUAL)
def shape(request: pytest.FixtureRequest) -> Architecture:
    return SHAPES[request.param]


def train(shape: Architecture, recipe: Recipe = RECIPE) -> Weights:
    return train_root(shape, general_task(shape, random.Random(0)), recipe)


def list_changed(before: Weights, after: Weights) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_training_lowers_the_loss(shape: Architecture) -> None:
    task = general_task(shape, random.Random(0))

    def loss(weights: Weights) -> float:
        module = load(shape, weights, 0).eval()
        return float(task.loss(module, 256, torch.Generator().manual_seed(9)).detach())

    start = {n: v.detach() for n, v in shape.build(1).state_dict().items()}
    assert loss(train(shape, replace(RECIPE, steps=120))) < 0.8 * loss(start)


def test_the_same_seed_gives_the_same_weights(shape: Architecture) -> None:
    first, second = train(shape), train(shape)
    assert not list_changed(first, second)
    assert list_changed(first, train(shape, replace(RECIPE, seed=2)))


def test_an_adapter_has_its_rank_and_leaves_the_rest_alone(shape: Architecture) -> None:
    before = train(shape)
    task = general_task(shape, random.Random(1))
    after = adapt(load(shape, before, 0), task, RECIPE, rank=2, head=False)
    changed = list_changed(before, after)
    assert changed
    assert before.keys() == after.keys()
    for name in changed:
        assert name.endswith("weight") and not is_head(name)
        delta = (after[name] - before[name]).flatten(1).double()
        values = torch.linalg.svdvals(delta)
        assert values[2] < 1e-4 * values[0]


@pytest.mark.parametrize("part", ["head", "last", "biases"])
def test_only_the_part_is_trained(shape: Architecture, part: str) -> None:
    before = train(shape)
    module = load(shape, before, 0)
    trained = choose_trained(module, part, random.Random(0))
    task = general_task(shape, random.Random(1))
    after = fine_tune(module, task, RECIPE, trained=trained)
    assert list_changed(before, after) <= set(trained)
    assert 0 < len(trained) < len(list(module.parameters()))
    body = [name for name in before if not is_head(name) and "running" not in name]
    assert sum(name in trained for name in body) < 0.6 * len(body)


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown part"):
        choose_trained(SHAPES[Kind.MLP].build(0), "elbow", random.Random(0))


def test_a_new_head_takes_nothing_over() -> None:
    shape = SHAPES[Kind.VIT]
    before = train(shape)
    module = load(replace(shape, outputs=4), before, 3)
    assert relative_change(before, dict(module.state_dict())) == 0.0
    assert module.state_dict()["head.weight"].shape == (4, 16)


def test_a_longer_vocabulary_keeps_its_rows() -> None:
    shape = SHAPES[Kind.GPT]
    before = train(shape)
    longer = len(CHARACTERS) + 3
    module = load(replace(shape, outputs=longer), before, 3)
    table = module.state_dict()["wte.weight"].clone()
    assert table.shape == (longer, 16)
    assert torch.equal(table[:-3], before["wte.weight"])
    task = TextTask(modules=("ast",), words=3, context=12)
    trained = choose_trained(module, "all", random.Random(0))
    after = fine_tune(module, task, RECIPE, trained=trained)
    assert not torch.equal(after["wte.weight"][-3:], table[-3:])


def test_relabelled_digits_are_the_same_images() -> None:
    module = SHAPES[Kind.MLP].build(0)
    with torch.no_grad():
        module.get_parameter("head.weight").zero_()
        module.get_parameter("head.bias").copy_(torch.tensor([9.0] + 9 * [0.0]))
    generator = torch.Generator().manual_seed(0)
    only_first = DigitsTask(classes=(7,)).loss(module, 32, generator)
    assert float(only_first.detach()) < 0.01, "the only class has the label 0"
