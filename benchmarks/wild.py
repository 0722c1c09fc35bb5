"""Wild zoos: irregular trees in which anything may be done to a model."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence

from benchmarks.architectures import USUAL, Architecture, Kind
from benchmarks.family import Family, Member
from benchmarks.operations import same_values
from benchmarks.tasks import CHARACTERS, WORDS, draw_task
from benchmarks.topologies import TOPOLOGIES
from benchmarks.training import Recipe, relative_change

SMALLEST, LARGEST = 8, 20
STRANGERS = 2
"""Models alone in their family, of the same architectures as the families."""
FINAL = ("int", "cast", "prune", "duplicate")
"""Operations after which people rarely train on."""


def build(
    seed: int,
    models: int | None,
    *,
    kind: str = "wild",
    topologies: Sequence[str] = tuple(TOPOLOGIES),
) -> Iterator[Family]:
    """One family per architecture (fewer when ``models`` is small) and two strangers.

    Zoos of another ``kind`` that begin as wild ones draw other numbers from the same seed.
    """
    rng = random.Random(f"{kind}/{seed}")
    kinds = rng.sample(USUAL, len(USUAL))
    if models is None:
        sizes = [rng.randint(SMALLEST, LARGEST) for _ in kinds]
    else:
        count = max(1, min(len(kinds), (models - STRANGERS) // SMALLEST))
        share, rest = divmod(max(models - STRANGERS, count), count)
        sizes = [share + (i < rest) for i in range(count)]
    architectures = [draw_architecture(kind, rng) for kind in kinds[: len(sizes)]]
    for number, (architecture, size) in enumerate(zip(architectures, sizes, strict=True)):
        own = random.Random(f"{kind}/{seed}/{number}")
        yield grow(f"F{number}", architecture, size, own, topologies)
    for number in range(STRANGERS):
        own = random.Random(f"{kind}/{seed}/stranger/{number}")
        family = Family(f"S{number}")
        architecture = architectures[number % len(architectures)]
        family.plant(architecture, draw_root_recipe(architecture, own), own)
        yield family


def draw_architecture(kind: Kind, rng: random.Random) -> Architecture:
    """A small network of this kind, of random size."""
    initial = rng.choice(("uniform", "normal"))
    if kind is Kind.VIT:
        width = rng.choice((48, 64))
        depth = rng.choice((3, 4, 6))
        return Architecture(
            kind=kind, width=width, depth=depth, hidden=2 * width, outputs=10, initial=initial
        )
    if kind is Kind.GPT:
        width = rng.choice((48, 64))
        return Architecture(
            kind=kind,
            width=width,
            depth=rng.choice((2, 3, 4)),
            hidden=4 * width,
            outputs=len(CHARACTERS),
            context=32,
            tied=rng.random() < 0.5,
            initial=initial,
        )
    if kind is Kind.CNN:
        width = rng.choice((16, 24))
        depth = rng.choice((3, 4))
        return Architecture(
            kind=kind, width=width, depth=depth, hidden=64, outputs=10, initial=initial
        )
    width = rng.choice((64, 96, 128))
    depth = rng.choice((3, 4))
    return Architecture(kind=kind, width=width, depth=depth, hidden=64, outputs=10, initial=initial)


def draw_root_recipe(architecture: Architecture, rng: random.Random) -> Recipe:
    """Long enough to learn the task, and somewhat different every time."""
    return Recipe(
        rate=rng.uniform(1e-3, 3e-3),
        decay=rng.choice((0.0, 0.01, 0.1)),
        steps=600 if architecture.kind in (Kind.CNN, Kind.MLP) else 400,
        seed=rng.getrandbits(31),
    )


def grow(
    name: str, architecture: Architecture, size: int, rng: random.Random, topologies: Sequence[str]
) -> Family:
    """A family of ``size`` models over a random topology."""
    family = Family(name)
    family.plant(architecture, draw_root_recipe(architecture, rng), rng)
    parents = TOPOLOGIES[rng.choice(topologies)](size, rng)
    for child, place in enumerate(parents, start=1):
        has_children = child in parents
        family.add(bear(family, family.members[place], rng, trained_on=has_children))
    return family


def bear(family: Family, parent: Member, rng: random.Random, *, trained_on: bool) -> Member:
    """A child of ``parent`` by a random operation that changes it.

    A child that will have children itself is rarely (one in ten) quantised, cast, pruned or a
    plain copy: those are mostly ends of lines.
    """
    while True:
        operation = rng.choices(list(OPERATIONS), [w for w, _ in OPERATIONS.values()])[0]
        if operation in FINAL and trained_on and rng.random() > 0.1:
            continue
        child = OPERATIONS[operation][1](family, parent, rng)
        if child is not None and (
            child.relation == "duplicate" or not same_values(child.weights, parent.weights)
        ):
            return child


def draw_recipe(rng: random.Random, *, low_rank: bool = False) -> Recipe:
    """Optimiser, rate, decay and steps as different as people choose them."""
    optimiser = rng.choice(("sgd", "adam", "adamw"))
    low, high = (5e-3, 5e-2) if optimiser == "sgd" else (1e-4, 2e-3)
    factor = {False: 1.0, True: 2.0 if optimiser == "sgd" else 5.0}[low_rank]
    decays = (0.0, 0.01, 0.1) if optimiser == "adamw" else (0.0, 1e-4, 1e-3)
    return Recipe(
        optimiser=optimiser,
        rate=factor * _log_uniform(low, high, rng),
        decay=rng.choice(decays),
        steps=round(_log_uniform(20, 300, rng)),
        seed=rng.getrandbits(31),
    )


def _log_uniform(low: float, high: float, rng: random.Random) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _full(family: Family, parent: Member, rng: random.Random) -> Member:
    return family.fine_tune(parent, draw_task(parent.architecture, rng), draw_recipe(rng), rng)


def _lora(family: Family, parent: Member, rng: random.Random) -> Member:
    task = draw_task(parent.architecture, rng)
    recipe = draw_recipe(rng, low_rank=True)
    rank = rng.choice((1, 2, 4, 8))
    return family.adapt(parent, task, recipe, rank=rank, head=rng.random() < 0.3)


def _frozen(family: Family, parent: Member, rng: random.Random) -> Member | None:
    part = rng.choice(("last", "last", "head", "biases"))
    if part == "head" and parent.architecture.tied:
        return None
    task = draw_task(parent.architecture, rng)
    return family.fine_tune(parent, task, draw_recipe(rng), rng, part=part)


def _int(family: Family, parent: Member, rng: random.Random) -> Member:
    return family.quantise(parent, bits=rng.choice((8, 8, 4)), per_row=rng.random() < 0.5)


def _cast(family: Family, parent: Member, rng: random.Random) -> Member:
    dtype = rng.choice(("bf16", "fp16"))
    return family.cast(parent, dtype=dtype, stored=rng.choice(("fp32", dtype)))


def _prune(family: Family, parent: Member, rng: random.Random) -> Member:
    return family.prune(parent, share=rng.uniform(0.2, 0.6))


def _duplicate(family: Family, parent: Member, _rng: random.Random) -> Member:
    return family.duplicate(parent)


def _new_head(family: Family, parent: Member, rng: random.Random) -> Member | None:
    if parent.architecture.kind.reads_text:
        return None
    outputs = rng.choice([n for n in range(3, 11) if n != parent.architecture.outputs])
    task = draw_task(parent.architecture, rng, classes=outputs)
    return family.fine_tune(parent, task, draw_recipe(rng), rng, outputs=outputs)


def _vocabulary(family: Family, parent: Member, rng: random.Random) -> Member | None:
    known = parent.architecture.outputs - len(CHARACTERS)
    if not parent.architecture.kind.reads_text or known >= len(WORDS):
        return None
    outputs = len(CHARACTERS) + rng.randint(known + 1, len(WORDS))
    child = draw_task(_with_outputs(parent.architecture, outputs), rng)
    return family.fine_tune(parent, child, draw_recipe(rng), rng, outputs=outputs)


def _with_outputs(architecture: Architecture, outputs: int) -> Architecture:
    return Architecture(**{**architecture.to_dict(), "outputs": outputs})


def _merge(family: Family, parent: Member, rng: random.Random) -> Member | None:
    others = [
        m
        for m in family.members
        if m.architecture == parent.architecture
        and relative_change(parent.weights, m.weights) > 0.02
    ]
    if not others:
        return None
    return family.merge(parent, rng.choice(others), coefficient=rng.uniform(0.2, 0.8))


Operation = Callable[[Family, Member, random.Random], Member | None]
OPERATIONS: dict[str, tuple[float, Operation]] = {
    "full": (0.34, _full),
    "lora": (0.14, _lora),
    "frozen": (0.12, _frozen),
    "int": (0.07, _int),
    "cast": (0.06, _cast),
    "prune": (0.06, _prune),
    "new_head": (0.06, _new_head),
    "vocabulary": (0.06, _vocabulary),
    "merge": (0.06, _merge),
    "duplicate": (0.03, _duplicate),
}
"""Operation: how often, and what."""
