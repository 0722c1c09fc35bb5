"""Alterations are told, and the genealogy stays."""

from __future__ import annotations

import random

import pytest
import torch

from benchmarks import adversarial
from benchmarks.adversarial import ALTERATIONS
from benchmarks.architectures import Architecture, Kind
from benchmarks.family import Family
from benchmarks.tasks import CHARACTERS, TextTask
from benchmarks.training import Recipe, Weights
from benchmarks.truth import describe

TINY = Architecture(kind=Kind.GPT, width=16, depth=2, hidden=16, outputs=len(CHARACTERS), context=8)

TEXT = TextTask(modules=("ast",), context=8)


@pytest.fixture
def family() -> Family:
    #   root ── pruned ── duplicate
    #      └── cast
    family = Family("F")
    root = family.plant(TINY, Recipe(steps=1), random.Random(0), task=TEXT)
    pruned = family.add(family.prune(root, share=0.3))
    family.add(family.duplicate(pruned))
    family.add(family.cast(root, dtype="bf16", stored="fp32"))
    return family


@pytest.mark.parametrize("kind", list(ALTERATIONS))
def test_every_alteration_changes_the_file(family: Family, kind: str) -> None:
    before = family.root.weights
    after, params = ALTERATIONS[kind](family.root, before, random.Random(1))
    assert not is_same(before, after)
    match kind:
        case "resave":
            assert {v.dtype for v in after.values()} <= {torch.float16, torch.bfloat16}
        case "drop":
            assert set(params["dropped"]) == before.keys() - after.keys()
        case "rename":
            assert not before.keys() & after.keys()
        case _:
            assert before.keys() == after.keys()


def is_same(before: Weights, after: Weights) -> bool:
    return before.keys() == after.keys() and all(
        torch.equal(value, after[name]) and value.dtype is after[name].dtype
        for name, value in before.items()
    )


def test_half_of_the_free_members_are_altered_and_the_truth_says_how(family: Family) -> None:
    plain = describe([family], {m: m.name for m in family.members})
    adversarial.alter_family(family, random.Random(0))
    truth = describe([family], {m: m.name for m in family.members})
    altered = {m["name"]: m["alterations"] for m in truth["models"] if "alterations" in m}
    assert len(altered) == 1
    assert not altered.keys() & {"F-1", "F-2"}, "exact duplicates stay exact"
    for kinds in altered.values():
        assert {told["kind"] for told in kinds} <= ALTERATIONS.keys()
    assert truth["edges"] == plain["edges"]
