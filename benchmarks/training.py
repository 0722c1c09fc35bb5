"""Training: from nothing, from a parent, through low-rank adapters, or of a part only."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from benchmarks.architectures import Architecture, get_depth, is_head, list_adaptable
from benchmarks.foreign_optimisers import Lion, Muon
from benchmarks.tasks import Task

Weights = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train.

    ``decay`` is decoupled for AdamW and added to the gradient for the others. With ``annealed``
    the rate falls to zero along half a cosine.
    """

    optimiser: str = "adamw"
    rate: float = 1e-3
    decay: float = 0.01
    steps: int = 60
    batch: int = 32
    seed: int = 0
    annealed: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


OPTIMISERS: dict[str, Callable[..., Any]] = {
    "adamw": lambda values, rate, decay: torch.optim.AdamW(
        values, lr=rate, weight_decay=decay, fused=True
    ),
    "adam": lambda values, rate, decay: torch.optim.Adam(
        values, lr=rate, weight_decay=decay, fused=True
    ),
    "sgd": lambda values, rate, decay: torch.optim.SGD(
        values, lr=rate, weight_decay=decay, momentum=0.9, fused=True
    ),
    "plain-sgd": lambda values, rate, decay: torch.optim.SGD(values, lr=rate, weight_decay=decay),
    "rmsprop": lambda values, rate, decay: torch.optim.RMSprop(values, lr=rate, weight_decay=decay),
    "nadam": lambda values, rate, decay: torch.optim.NAdam(values, lr=rate, weight_decay=decay),
    "adafactor": lambda values, rate, decay: torch.optim.Adafactor(
        values, lr=rate, weight_decay=decay
    ),
    "lion": Lion,
    "muon": Muon,
}


def optimise(module: nn.Module, task: Task, recipe: Recipe) -> None:
    """Train the parameters that require gradients, with a short warm-up and a clipped gradient."""
    generator = torch.Generator().manual_seed(recipe.seed)
    values = [p for p in module.parameters() if p.requires_grad]
    optimiser = OPTIMISERS[recipe.optimiser](values, recipe.rate, recipe.decay)
    warm_up = max(1, recipe.steps // 10)
    for step in range(recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * min(1.0, (step + 1) / warm_up) * _fade(recipe, step)
        optimiser.zero_grad()
        task.loss(module, recipe.batch, generator).backward()  # type: ignore[no-untyped-call]  # (torch's)
        nn.utils.clip_grad_norm_(values, 1.0)
        optimiser.step()
    if not all(bool(value.isfinite().all()) for value in values):
        raise FloatingPointError(f"training diverged: {recipe}")


def _fade(recipe: Recipe, step: int) -> float:
    return (1 + math.cos(math.pi * step / recipe.steps)) / 2 if recipe.annealed else 1.0


def collect(module: nn.Module) -> Weights:
    """A copy of everything a checkpoint of the module holds."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def train_root(architecture: Architecture, task: Task, recipe: Recipe) -> Weights:
    """Train a network from nothing."""
    module = architecture.build(recipe.seed)
    optimise(module, task, recipe)
    return collect(module)


def load(architecture: Architecture, weights: Weights, seed: int) -> nn.Module:
    """A network with these weights in float32.

    Where the architecture has another head or a longer vocabulary than the weights, the missing
    rows are new (drawn with ``seed``); a new head takes nothing over, a vocabulary keeps its rows.
    """
    module = architecture.build(seed)
    fresh = module.state_dict()
    with torch.no_grad():
        for name, value in fresh.items():
            old = weights[name]
            if value.shape == old.shape:
                value.copy_(old)
            elif name.startswith(("wte.", "lm_head.")):
                value[: len(old)] = old
                value[len(old) :] = old.float().mean(0) + 0.02 * torch.randn(
                    value[len(old) :].shape, generator=torch.Generator().manual_seed(seed)
                )
    return module


def choose_trained(module: nn.Module, part: str, rng: random.Random) -> list[str]:
    """Names of the parameters to train, by the name of a part.

    "all"; "head"; "last": the last blocks and the head; "biases": biases and the head's.
    """
    names = [name for name, _ in module.named_parameters()]
    if part == "all":
        return names
    if part == "head":
        return [name for name in names if is_head(name)]
    if part == "biases":
        return [name for name in names if name.endswith("bias")]
    if part == "last":
        depths = sorted({get_depth(n) for n in names if not is_head(n)} - {float("inf")})
        first = depths[-1] if len(depths) < 5 else rng.choice(depths[-2:])
        return [name for name in names if is_head(name) or get_depth(name) >= first]
    raise ValueError(f"unknown part {part!r}")


def fine_tune(module: nn.Module, task: Task, recipe: Recipe, *, trained: list[str]) -> Weights:
    """Train some parameters on. Batch norm keeps its statistics unless everything is trained."""
    chosen = set(trained)
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name in chosen)
    whole = all(parameter.requires_grad for parameter in module.parameters())
    module.train(whole)
    optimise(module, task, recipe)
    return collect(module)


class LowRank(nn.Module):
    """weight -> weight + up @ down, with up = 0 at first (LoRA)."""

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        rows, columns = len(weight), weight[0].numel()
        rank = min(rank, rows // 2, columns // 2)
        self.up = nn.Parameter(torch.zeros(rows, rank))
        self.down = nn.Parameter(torch.randn(rank, columns, generator=generator) / columns**0.5)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.up @ self.down).view_as(weight)


def adapt(module: nn.Module, task: Task, recipe: Recipe, *, rank: int, head: bool) -> Weights:
    """Train low-rank adapters on the body's matrices (and perhaps the head), then merge them."""
    return train_adapter(module, task, recipe, rank=rank, head=head)[0]


def train_adapter(
    module: nn.Module, task: Task, recipe: Recipe, *, rank: int, head: bool = False
) -> tuple[Weights, Weights]:
    """Train low-rank adapters.

    Returns
    -------
    the module's weights with the adapters merged in, and the adapters' factors under PEFT's names
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(head and is_head(name))
    layers = list_adaptable(module)
    parts = [LowRank(layer.weight, rank, generator) for layer in layers]
    for layer, part in zip(layers, parts, strict=True):
        parametrize.register_parametrization(layer, "weight", part)
    module.eval()
    optimise(module, task, recipe)
    for layer in layers:
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    names = {layer: name for name, layer in module.named_modules()}
    factors = {}
    for layer, part in zip(layers, parts, strict=True):
        kernel = layer.weight.shape[2:]
        prefix = f"base_model.model.{names[layer]}"
        down, up = part.down.detach(), part.up.detach()
        factors[f"{prefix}.lora_A.weight"] = down.reshape(len(down), -1, *kernel)
        factors[f"{prefix}.lora_B.weight"] = up.reshape(*up.shape, *(1 for _ in kernel))
    return collect(module), factors


def relative_change(before: Weights, after: Weights) -> float:
    """|after - before| / |before| over the matrices of the body that both have."""
    moved = norm = 0.0
    for old, new in _pairs(before, after):
        moved += float((new.double() - old.double()).square().sum())
        norm += float(old.double().square().sum())
    return (moved / norm) ** 0.5 if norm else 0.0


def _pairs(before: Weights, after: Weights) -> Iterator[tuple[Tensor, Tensor]]:
    for name, old in before.items():
        if old.ndim >= 2 and not is_head(name) and after[name].shape == old.shape:
            yield old, after[name]
