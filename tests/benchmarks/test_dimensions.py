"""Permuting and scaling leave the function as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from benchmarks.architectures import Architecture, Kind
from benchmarks.dimensions import list_dimensions, permute, scale
from benchmarks.tasks import CHARACTERS
from benchmarks.training import Weights, collect

SMALL = Architecture(kind=Kind.VIT, width=16, depth=2, hidden=24, outputs=10)
GPT = replace(SMALL, kind=Kind.GPT, outputs=len(CHARACTERS))
SHAPES = {
    "vit": SMALL,
    "gpt": GPT,
    "tied": replace(GPT, tied=True),
    "cnn": replace(SMALL, kind=Kind.CNN, depth=3),
    "mlp": replace(SMALL, kind=Kind.MLP, depth=3),
}


def build_network(shape: Architecture) -> nn.Module:
    """A network whose norms and statistics are none of them trivial."""
    module = shape.build(0).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.ndim == 1:
                value.uniform_(0.5, 2.0, generator=generator)
                if name.endswith(("bias", "mean")):
                    value.sub_(1.0)
    return module


def answer(module: nn.Module, shape: Architecture, weights: Weights) -> Tensor:
    module.load_state_dict(weights)
    generator = torch.Generator().manual_seed(2)
    texts = torch.randint(90, (4, 12), generator=generator)
    images = torch.randn(4, 1, 8, 8, generator=generator)
    with torch.no_grad():
        found: Tensor = module(texts if shape.kind is Kind.GPT else images)
    return found


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_function_stays_and_the_weights_do_not(shape: Architecture) -> None:
    module = build_network(shape)
    weights = collect(module)
    before = answer(module, shape, weights)
    generator = torch.Generator().manual_seed(3)
    for dimension in list_dimensions(shape):
        order = torch.randperm(dimension.size, generator=generator)
        factors = 0.5 + torch.rand(dimension.size, generator=generator)
        for slots, changed in (
            (dimension.permuted, permute(weights, dimension, order)),
            (dimension.grown + dimension.shrunk, scale(weights, dimension, factors)),
        ):
            touched = {name for name in weights if not torch.equal(changed[name], weights[name])}
            assert touched == {slot.name for slot in slots}, dimension.kind
            assert torch.allclose(answer(module, shape, changed), before, atol=1e-4)


def test_every_unit_of_a_residual_stream_moves() -> None:
    residual = list_dimensions(SMALL)[-1]
    module = build_network(SMALL)
    weights = collect(module)
    order = torch.arange(SMALL.width).roll(1)
    changed = permute(weights, residual, order)
    for slot in residual.permuted:
        assert torch.equal(changed[slot.name], weights[slot.name].roll(1, slot.axis))
