"""Small steps are as small as they say, on data that resembles a sibling's."""

from __future__ import annotations

import random

import pytest
import torch

from benchmarks import small_step
from benchmarks.architectures import Architecture, Kind
from benchmarks.small_step import ADAM, MIXED, draw_share, draw_theme
from benchmarks.tasks import CHARACTERS, DigitsTask, TextTask

VIT = Architecture(kind=Kind.VIT, width=16, depth=1, hidden=16, outputs=10, heads=2)
GPT = Architecture(
    kind=Kind.GPT, width=16, depth=1, hidden=16, outputs=len(CHARACTERS), heads=2, context=8
)


@pytest.mark.parametrize("habits", [ADAM, MIXED], ids=["adam", "mixed"])
@pytest.mark.parametrize("architecture", [VIT, GPT], ids=["vit", "gpt"])
def test_steps_are_in_range(architecture: Architecture, habits: small_step.Habits) -> None:
    family = small_step.grow("F", architecture, 4, random.Random(2), habits)
    assert len(family.members) == 4
    for member in family.members[1:]:
        change = member.params["relative_change"]
        # Rounding to bf16 alone changes a model by about 0.0017.
        assert 0.99e-3 <= change <= 3.1e-2, member.operation


def test_adam_zoos_are_plain() -> None:
    family = small_step.grow("F", VIT, 4, random.Random(2), ADAM)
    for member in family.members[1:]:
        assert member.operation == "full"
        assert member.params["recipe"]["optimiser"] in ("adam", "adamw")
        assert all(value.dtype is torch.float32 for value in member.weights.values())


def test_siblings_share_a_theme_but_not_all_data() -> None:
    rng = random.Random(0)
    text = draw_theme(GPT, rng)
    shares = [draw_share(text, rng) for _ in range(6)]
    assert isinstance(text, TextTask)
    assert len({share.describe()["modules"][0] for share in shares}) > 1
    assert all(set(share.describe()["modules"]) <= set(text.modules) for share in shares)


def test_labels_keep_their_meaning() -> None:
    rng = random.Random(0)
    task = draw_share(draw_theme(VIT, rng), rng)
    assert isinstance(task, DigitsTask)
    absent = next(digit for digit in range(10) if digit not in task.classes)

    class OnlyAbsent(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.one_hot(torch.full((len(images),), absent), 10) * 20.0

    loss = task.loss(OnlyAbsent(), 64, torch.Generator().manual_seed(0))
    assert float(loss) > 19, "no image has the label of a digit that was left out"
