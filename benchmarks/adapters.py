"""Zoos of unmerged adapters: pairs of families of one architecture, so that shapes decide nothing.

Of the adapters in each family some have their merged twin beside them, some only siblings. Of every
architecture one more adapter was trained on a base that nobody published.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.architectures import USUAL, Architecture
from benchmarks.family import Family, Member
from benchmarks.operations import cast
from benchmarks.tasks import draw_task
from benchmarks.training import Weights
from benchmarks.wild import draw_architecture, draw_recipe, draw_root_recipe

PLAIN = 4
"""Fine-tunes of a family; the first two are the root's."""
ALONE = 3
"""Adapters without a merged twin."""
SCALES = (0.5, 1.0, 2.0, 4.0)


def build(seed: int, families: int) -> Iterator[Family]:
    """Families of 12 files, two of each architecture, and one file of a third base."""
    kinds = random.Random(f"adapters/{seed}").sample(USUAL, len(USUAL))
    for number in range(families):
        place, second = divmod(number, 2)
        shaping = random.Random(f"adapters/{seed}/shape/{place}")
        architecture = draw_architecture(kinds[place % len(kinds)], shaping)
        rng = random.Random(f"adapters/{seed}/{number}")
        yield grow(f"F{number}", architecture, rng)
        if second:
            yield publish_alone(f"A{place}", architecture, rng)


def grow(name: str, architecture: Architecture, rng: random.Random) -> Family:
    """A root, fine-tunes, and adapters of random members: three by themselves, one with a twin in
    float32, one with a twin in bf16.
    """
    family = Family(name)
    family.plant(architecture, draw_root_recipe(architecture, rng), rng)
    for number in range(PLAIN):
        parent = family.root if number < 2 else rng.choice(family.members)
        task = draw_task(parent.architecture, rng)
        family.add(family.fine_tune(parent, task, draw_recipe(rng), rng))
    models = list(family.members)
    for _ in range(ALONE):
        family.add(_adapt(family, rng.choice(models), rng)[0])
    for rounded in (False, True):
        parent = rng.choice(models)
        adapter, merged = _adapt(family, parent, rng)
        family.add(adapter)
        if rounded:
            merged = cast(merged, dtype="bf16", stored="bf16")
        family.add(family.bear_merged(parent, merged, adapter))
    return family


def publish_alone(name: str, architecture: Architecture, rng: random.Random) -> Family:
    """A family of one: an adapter of a base that is not published."""
    hidden = Family(name)
    base = hidden.plant(architecture, draw_root_recipe(architecture, rng), rng)
    adapter, _ = _adapt(hidden, base, rng)
    return Family(
        name,
        members=[
            Member(
                name=f"{name}-0",
                weights=adapter.weights,
                architecture=architecture,
                operation="unmerged",
                params=adapter.params,
            )
        ],
    )


def _adapt(family: Family, parent: Member, rng: random.Random) -> tuple[Member, Weights]:
    return family.publish_adapter(
        parent,
        draw_task(parent.architecture, rng),
        draw_recipe(rng, low_rank=True),
        rank=rng.choice((1, 2, 4, 8)),
        scale=rng.choice(SCALES),
    )
