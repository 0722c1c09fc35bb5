"""mini-VTHR: balanced families of vision transformers, 1 root + 4 children + 16 grandchildren.

After the three splits of the ViT Tree Heritage Recovery benchmark (arXiv 2405.18432, section 5),
with 12-layer transformers on 8 x 8 digits in the place of ViT-base on photographs.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.architectures import Architecture, Kind
from benchmarks.family import Family, Member
from benchmarks.tasks import draw_task
from benchmarks.topologies import balanced
from benchmarks.training import Recipe

ARCHITECTURE = Architecture(kind=Kind.VIT, width=64, depth=12, hidden=128, outputs=10)
FIXED_RANK = 8


def build_full(seed: int, families: int) -> Iterator[Family]:
    """Every child is a full fine-tune, with varied optimiser and rate."""
    return _build("mini-vthr-ft", seed, families, ranks=None)


def build_lora_fixed(seed: int, families: int) -> Iterator[Family]:
    """Every child is a merged LoRA of rank 8."""
    return _build("mini-vthr-lora-fixed", seed, families, ranks=(FIXED_RANK, FIXED_RANK))


def build_lora_varying(seed: int, families: int) -> Iterator[Family]:
    """Every child is a merged LoRA of a rank from 2 to 32."""
    return _build("mini-vthr-lora-varying", seed, families, ranks=(2, 32))


def _build(
    kind: str, seed: int, families: int, *, ranks: tuple[int, int] | None
) -> Iterator[Family]:
    for number in range(families):
        rng = random.Random(f"{kind}/{seed}/{number}")
        family = Family(f"F{number}")
        recipe = Recipe(rate=1e-3, decay=0.05, steps=240, batch=32, seed=rng.getrandbits(31))
        family.plant(ARCHITECTURE, recipe, rng)
        for place in balanced(4, 2):
            parent = family.members[place]
            family.add(
                _fine_tune(family, parent, rng)
                if ranks is None
                else _adapt(family, parent, rng, ranks)
            )
        yield family


def _draw_outputs(rng: random.Random) -> int:
    """Half of the children keep a head for all ten digits, the others get one of their own."""
    return 10 if rng.random() < 0.5 else rng.randint(3, 8)


def _fine_tune(family: Family, parent: Member, rng: random.Random) -> Member:
    optimiser = rng.choice(("adamw", "adam", "sgd"))
    spread = rng.uniform(0.5, 2.0)
    recipe = Recipe(
        optimiser=optimiser,
        rate=spread * (2e-2 if optimiser == "sgd" else 3e-4),
        decay=rng.choice((0.0, 0.01, 0.05)) if optimiser == "adamw" else 0.0,
        steps=rng.randint(40, 70),
        seed=rng.getrandbits(31),
    )
    outputs = _draw_outputs(rng)
    task = draw_task(parent.architecture, rng, classes=outputs)
    return family.fine_tune(parent, task, recipe, rng, outputs=outputs)


def _adapt(family: Family, parent: Member, rng: random.Random, ranks: tuple[int, int]) -> Member:
    recipe = Recipe(
        optimiser="adamw",
        rate=3e-3 * rng.uniform(0.5, 2.0),
        decay=0.0,
        steps=rng.randint(40, 60),
        seed=rng.getrandbits(31),
    )
    outputs = _draw_outputs(rng)
    task = draw_task(parent.architecture, rng, classes=outputs)
    return family.adapt(parent, task, recipe, rank=rng.randint(*ranks), head=True, outputs=outputs)
