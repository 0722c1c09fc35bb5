"""Zoos of unmerged adapters: twins beside them, siblings, and bases that nobody published."""

from __future__ import annotations

import random

import pytest
import torch

from benchmarks.adapters import ALONE, PLAIN, grow, publish_alone
from benchmarks.architectures import Architecture, Kind
from benchmarks.family import Family
from benchmarks.zoo import one_thread

SHAPE = Architecture(kind=Kind.MLP, width=16, depth=3, hidden=16, outputs=10)


@pytest.fixture(scope="module")
def family() -> Family:
    with one_thread():
        return grow("F", SHAPE, random.Random(1))


def test_a_family_has_models_adapters_and_twins(family: Family) -> None:
    kinds = [m.operation for m in family.members]
    assert kinds.count("unmerged") == ALONE + 2 and kinds.count("lora") == 2
    assert kinds[: PLAIN + 1] == ["root", *["full"] * PLAIN]
    assert all(m.parents[0][0].operation in ("root", "full") for m in family.members[1:])


def test_the_twin_is_the_base_plus_the_scaled_factors(family: Family) -> None:
    *_, twin = (m for m in family.members if m.operation == "lora")
    adapter = family.members[family.members.index(twin) - 1]
    base = twin.parents[0][0]
    assert adapter.parents[0][0] is base
    for name, down in adapter.weights.items():
        if "lora_A" in name:
            up = adapter.weights[name.replace("lora_A", "lora_B")].flatten(1)
            target = name.removeprefix("base_model.model.").replace("lora_A.", "")
            added = adapter.params["scale"] * up @ down.flatten(1)
            expected = base.weights[target] + added.view_as(base.weights[target])
            # Stored in bf16.
            assert torch.allclose(twin.weights[target].float(), expected, rtol=2**-8, atol=1e-6)


def test_an_adapter_alone_has_no_parent() -> None:
    with one_thread():
        family = publish_alone("A", SHAPE, random.Random(2))
    (member,) = family.members
    assert member.parents == () and all("lora_" in name for name in member.weights)
