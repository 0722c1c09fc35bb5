"""Foreign zoos: what no rule or constant of the engine was made on.

Other networks (``foreign_networks``), other optimisers, averaged weights, soups, other ways to
prune and quantise; wild trees and tasks as in wild zoos.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from benchmarks import merging, wild
from benchmarks.architectures import FOREIGN, Architecture, Kind, list_adaptable
from benchmarks.family import Family, Member
from benchmarks.operations import change_matrices
from benchmarks.tasks import CHARACTERS, draw_task
from benchmarks.topologies import TOPOLOGIES
from benchmarks.training import Recipe, fine_tune, load, relative_change

SMALLEST, LARGEST = 8, 14
RATES = {
    "lion": (3e-5, 5e-4),
    "muon": (1e-3, 1e-2),
    "rmsprop": (1e-4, 2e-3),
    "adafactor": (1e-3, 1e-2),
    "nadam": (1e-4, 2e-3),
    "plain-sgd": (2e-2, 2e-1),
}
"""Optimiser -> smallest and largest learning rate."""
SNAPSHOTS = 5
FAR = 0.02
"""Relative change between the parents of a soup, at least."""


def build(seed: int, families: int) -> Iterator[Family]:
    """Families of 8 to 14 models, one network after the other."""
    kinds = random.Random(f"foreign/{seed}").sample(FOREIGN, len(FOREIGN))
    for number in range(families):
        rng = random.Random(f"foreign/{seed}/{number}")
        architecture = draw_architecture(kinds[number % len(kinds)], rng)
        yield grow(f"F{number}", architecture, rng.randint(SMALLEST, LARGEST), rng)


def draw_architecture(kind: Kind, rng: random.Random) -> Architecture:
    width = rng.choice((16, 24)) if kind is Kind.RESNET else rng.choice((48, 64))
    return Architecture(
        kind=kind,
        width=width,
        depth=rng.choice((2, 3)),
        hidden=2 * width,
        outputs=len(CHARACTERS) if kind.reads_text else 10,
        context=24,
        initial=rng.choice(("uniform", "normal")),
    )


def grow(name: str, architecture: Architecture, size: int, rng: random.Random) -> Family:
    family = Family(name)
    family.plant(architecture, wild.draw_root_recipe(architecture, rng), rng)
    parents = TOPOLOGIES[rng.choice(list(TOPOLOGIES))](size, rng)
    for child, place in enumerate(parents, start=1):
        bear(family, family.members[place], rng, trained_on=child in parents)
    return family


def bear(family: Family, parent: Member, rng: random.Random, *, trained_on: bool) -> None:
    """A child by a random operation. What is only pruned or quantised has no children."""
    operations = TRAINING if trained_on else TRAINING + FINISHING
    while True:
        child = rng.choice(operations)(family, parent, rng)
        if child is not None:
            family.add(child)
            return


def draw_recipe(rng: random.Random) -> Recipe:
    optimiser = rng.choice(list(RATES))
    drawn = wild.draw_recipe(rng)
    low, high = RATES[optimiser]
    rate = low * (high / low) ** rng.random()
    return replace(drawn, optimiser=optimiser, rate=rate, decay=rng.choice((0.0, 0.0, 0.01)))


def _full(family: Family, parent: Member, rng: random.Random) -> Member:
    return family.fine_tune(parent, draw_task(parent.architecture, rng), draw_recipe(rng), rng)


def _averaged(family: Family, parent: Member, rng: random.Random) -> Member:
    """The mean of snapshots along a training (Izmailov et al. 2018)."""
    task, recipe = draw_task(parent.architecture, rng), draw_recipe(rng)
    last = family.fine_tune(parent, task, recipe, rng)
    short = replace(recipe, steps=max(4, recipe.steps // SNAPSHOTS))
    weights, snapshots = last.weights, [last.weights]
    for number in range(1, SNAPSHOTS):
        module = load(parent.architecture, weights, number)
        names = [name for name, _ in module.named_parameters()]
        weights = fine_tune(module, task, replace(short, seed=recipe.seed + number), trained=names)
        snapshots.append(weights)
    mean = merging.blend(snapshots, coefficients=[1 / SNAPSHOTS] * SNAPSHOTS)
    params = {**last.params, "relative_change": relative_change(parent.weights, mean)}
    return replace(last, weights=mean, operation="averaged", params=params)


def _lora(family: Family, parent: Member, rng: random.Random) -> Member | None:
    if not list_adaptable(parent.architecture.build(0)):
        return None
    task, recipe = draw_task(parent.architecture, rng), wild.draw_recipe(rng, low_rank=True)
    return family.adapt(parent, task, recipe, rank=rng.choice((1, 2, 4, 8)))


def _head(family: Family, parent: Member, rng: random.Random) -> Member:
    task = draw_task(parent.architecture, rng)
    return family.fine_tune(parent, task, draw_recipe(rng), rng, part="head")


def _soup(family: Family, parent: Member, rng: random.Random) -> Member | None:
    """The mean of three or four models that lie apart (Wortsman et al. 2022)."""
    chosen = [parent]
    for member in rng.sample(family.members, len(family.members)):
        trained = member.relation in ("finetune", "adapter")
        if trained and all(relative_change(m.weights, member.weights) > FAR for m in chosen):
            chosen.append(member)
    chosen = chosen[: rng.choice((3, 4))]
    if len(chosen) < 3:
        return None
    shares = [1 / len(chosen)] * len(chosen)
    weights = merging.blend([m.weights for m in chosen], coefficients=shares)
    return family.blend(weights, "soup", list(zip(chosen, shares, strict=True)), params={})


def _thin_rows(family: Family, parent: Member, rng: random.Random) -> Member:
    """The smallest half of every row is zero, or two of four values in a row (Mishra 2021)."""
    group = rng.choice((4, None))

    def thin(matrix: Tensor) -> Tensor:
        size = group if group and matrix.shape[1] % group == 0 else matrix.shape[1]
        groups = matrix.unflatten(1, (-1, size))
        cut = groups.abs().kthvalue(max(1, size // 2), dim=-1, keepdim=True).values
        return torch.where(groups.abs() <= cut, 0.0, groups).flatten(1)

    return family.finish(parent, "pruned", "thin-rows", change_matrices(parent.weights, thin))


def _quantise_groups(family: Family, parent: Member, rng: random.Random) -> Member:
    """16 levels from the smallest to the largest of every 32 values in a row."""
    del rng

    def on_grid(matrix: Tensor) -> Tensor:
        size = 32 if matrix.shape[1] % 32 == 0 else matrix.shape[1]
        groups = matrix.unflatten(1, (-1, size))
        low, high = groups.amin(-1, keepdim=True), groups.amax(-1, keepdim=True)
        step = ((high - low) / 15).clamp_min(1e-12)
        return (((groups - low) / step).round() * step + low).flatten(1)

    return family.finish(
        parent, "quantized", "int4-groups", change_matrices(parent.weights, on_grid)
    )


NORMAL_FLOAT = torch.special.ndtri(torch.linspace(0.02, 0.98, 16)) / torch.special.ndtri(
    torch.tensor(0.98)
)


def _quantise_normal(family: Family, parent: Member, rng: random.Random) -> Member:
    """16 levels at the quantiles of a normal distribution, scaled per 64 values (as NF4)."""
    del rng

    def on_grid(matrix: Tensor) -> Tensor:
        size = 64 if matrix.numel() % 64 == 0 else matrix.shape[1]
        groups = matrix.reshape(-1, size)
        scale = groups.abs().amax(-1, keepdim=True).clamp_min(1e-12)
        nearest = ((groups / scale)[..., None] - NORMAL_FLOAT).abs().argmin(-1)
        return (NORMAL_FLOAT[nearest] * scale).view(matrix.shape)

    return family.finish(
        parent, "quantized", "normal-float", change_matrices(parent.weights, on_grid)
    )


def _cast_short(family: Family, parent: Member, rng: random.Random) -> Member:
    """Eight bits of floating point, stored in float32."""
    dtype = rng.choice((torch.float8_e4m3fn, torch.float8_e5m2))
    weights = {
        n: v.to(dtype).float() if v.is_floating_point() and v.ndim >= 2 else v.clone()
        for n, v in parent.weights.items()
    }
    return family.finish(parent, "cast", "float8", weights)


TRAINING = (_full, _full, _full, _averaged, _lora, _head)
FINISHING = (_soup, _soup, _thin_rows, _quantise_groups, _quantise_normal, _cast_short)
