"""Adversarial zoos: wild ones of which many models were altered without changing what they compute.

Children were born before their parents were altered, so the genealogy stays as it was.
Exact duplicates stay as they are: altering one of them would turn it into another relation.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import torch

from benchmarks import wild
from benchmarks.architectures import is_head
from benchmarks.dimensions import (
    GAIN,
    HEADS,
    HIDDEN,
    RESIDUAL,
    list_dimensions,
    permute,
    scale,
)
from benchmarks.family import Altered, Family, Member
from benchmarks.operations import cast
from benchmarks.renaming import CONVENTIONS
from benchmarks.training import Weights

SHARE = 0.5
"""Share of the members that are altered."""
LARGEST_FACTOR = 4.0


def build(seed: int, models: int | None) -> Iterator[Family]:
    """The families of a wild zoo, half of their members altered."""
    for number, family in enumerate(wild.build(seed, models, kind="adversarial")):
        rng = random.Random(f"adversarial/{seed}/altered/{number}")
        alter_family(family, rng)
        yield family


def alter_family(family: Family, rng: random.Random) -> None:
    """Alter half of the members."""
    copied = {m.parents[0][0] for m in family.members if m.relation == "duplicate"}
    free = [m for m in family.members if m.relation != "duplicate" and m not in copied]
    for member in rng.sample(free, round(SHARE * len(free))):
        family.altered[member] = alter(member, rng)


def alter(member: Member, rng: random.Random) -> Altered:
    """One to three alterations of different kinds."""
    kinds = [kind for kind in ALTERATIONS if _is_possible(kind, member)]
    count = rng.choice((1, 1, 2, 3))
    chosen = set(rng.sample(kinds, count))
    weights = member.weights
    told: list[dict[str, Any]] = []
    # Names change last, because the others go by them; rounding comes after scaling.
    for kind in (kind for kind in ALTERATIONS if kind in chosen):
        weights, params = ALTERATIONS[kind](member, weights, rng)
        told.append({"kind": kind, **params})
    return Altered(weights, tuple(told))


def _is_possible(kind: str, member: Member) -> bool:
    if kind not in (HEADS, RESIDUAL):
        return True
    return any(d.kind == kind for d in list_dimensions(member.architecture))


Outcome = tuple[Weights, dict[str, Any]]
Alteration = Callable[[Member, Weights, random.Random], Outcome]


def _permute(kind: str) -> Alteration:
    def apply(member: Member, weights: Weights, rng: random.Random) -> Outcome:
        generator = torch.Generator().manual_seed(rng.getrandbits(31))
        for dimension in list_dimensions(member.architecture):
            if dimension.kind == kind:
                order = torch.randperm(dimension.size, generator=generator)
                weights = permute(weights, dimension, order)
        return weights, {}

    return apply


def _scale(member: Member, weights: Weights, rng: random.Random) -> Outcome:
    """One factor per layer, or one per unit, from 1/4 to 4."""
    generator = torch.Generator().manual_seed(rng.getrandbits(31))
    per = rng.choice(("layer", "unit"))
    for dimension in list_dimensions(member.architecture):
        if dimension.grown:
            count = dimension.size if per == "unit" else 1
            spread = 2 * torch.rand(count, generator=generator) - 1
            factors = torch.exp(math.log(LARGEST_FACTOR) * spread).expand(dimension.size)
            weights = scale(weights, dimension, factors)
    return weights, {"per": per}


def _resave(_member: Member, weights: Weights, rng: random.Random) -> Outcome:
    dtype = rng.choice(("fp16", "bf16"))
    return cast(weights, dtype=dtype, stored=dtype), {"dtype": dtype}


def _drop(_member: Member, weights: Weights, rng: random.Random) -> Outcome:
    """One to three tensors of the body fewer."""
    body = [name for name in weights if not is_head(name)]
    dropped = set(rng.sample(body, min(rng.randint(1, 3), len(body) // 3)))
    kept = {name: value for name, value in weights.items() if name not in dropped}
    return kept, {"dropped": sorted(dropped)}


def _rename(_member: Member, weights: Weights, rng: random.Random) -> Outcome:
    convention = rng.choice(list(CONVENTIONS))
    names = CONVENTIONS[convention](list(weights))
    return {names[name]: value for name, value in weights.items()}, {"convention": convention}


ALTERATIONS: dict[str, Alteration] = {
    HIDDEN: _permute(HIDDEN),
    HEADS: _permute(HEADS),
    RESIDUAL: _permute(RESIDUAL),
    GAIN: _scale,
    "resave": _resave,
    "drop": _drop,
    "rename": _rename,
}
"""Alteration -> what does it, in the order in which several are made."""
