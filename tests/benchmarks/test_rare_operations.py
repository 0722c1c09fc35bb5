"""Every rare operation bears what it says."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from benchmarks import rare_operations
from benchmarks.architectures import Architecture, Kind
from benchmarks.rare_operations import OPERATIONS, Growth
from benchmarks.tasks import CHARACTERS, TextTask
from benchmarks.training import Recipe
from benchmarks.truth import describe
from benchmarks.wild import draw_recipe

TINY = Architecture(kind=Kind.GPT, width=16, depth=2, hidden=16, outputs=len(CHARACTERS), context=8)


@pytest.fixture(scope="module")
def growth() -> Growth:
    """A root and three fine-tunes, hardly trained."""
    growth = Growth("F", TINY, random.Random(1))
    growth.recipe, growth.task = Recipe(steps=2), TextTask(modules=("ast",), context=8)
    growth.family.plant(TINY, growth.recipe, growth.rng, task=growth.task)
    for seed in range(3):
        recipe = Recipe(steps=2, rate=3e-2, seed=seed)
        root = growth.family.root
        growth.family.add(growth.family.fine_tune(root, growth.task, recipe, growth.rng))
    return growth


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_every_operation_bears_a_network(
    growth: Growth, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = draw_recipe

    def draw_short(rng: random.Random, *, low_rank: bool = False) -> Recipe:
        return replace(draw(rng, low_rank=low_rank), steps=2)

    monkeypatch.setattr(rare_operations, "draw_recipe", draw_short)
    before = len(growth.family.members)
    OPERATIONS[name](growth)
    born = growth.family.members[before:]
    assert born
    for member in born:
        assert member.relation in {"finetune", "partial", "adapter", "merge", "quantized"}
        assert {parent for parent, _ in member.parents} <= set(growth.family.members)
        member.architecture.build(0).load_state_dict(member.weights)
    shares = [share for _, share in born[-1].parents if share is not None]
    if shares:
        assert sum(shares) == pytest.approx(1.0), "the base has what is left of 1"
    del growth.family.members[before:]


def test_a_deeper_copy_repeats_blocks(growth: Growth) -> None:
    root = growth.family.root
    child = growth.family.deepen(root, blocks=[0, 1, 0, 1])
    assert child.architecture.depth == 4
    for place in range(4):
        mine = child.weights[f"blocks.{place}.fc1.weight"]
        assert torch.equal(mine, root.weights[f"blocks.{place % 2}.fc1.weight"])


def test_a_student_is_a_family_of_its_own(growth: Growth) -> None:
    student = growth.distil("D")
    assert student.teacher in growth.family.members
    families = [growth.family, student]
    truth = describe(families, {m: m.name for f in families for m in f.members})
    assert truth["families"][1]["teacher"] == student.teacher.name
    assert "D-0" not in {edge["child"] for edge in truth["edges"]}


def test_the_base_of_task_vectors_is_told(growth: Growth) -> None:
    before = len(growth.family.members)
    OPERATIONS["task-arithmetic"](growth)
    truth = describe([growth.family], {m: m.name for m in growth.family.members})
    del growth.family.members[before:]
    bases = [edge["parent"] for edge in truth["edges"] if edge.get("base")]
    assert bases == ["F-0"]
    assert next(e["main"] for e in truth["edges"] if e["relation"] == "merge") is True
