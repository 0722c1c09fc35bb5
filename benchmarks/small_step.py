"""Small-step zoos: wider transformers whose children hardly differ from them, as in public lakes.

The relative step |child - parent| / |parent| is drawn from 1e-3 to 3e-2 and reached by a pilot run
that scales the learning rate. Siblings learn similar things and so drift together: each its own
part of one of the family's two themes. Nothing that the root has learned is contradicted (no label
changes its meaning): steps as small as these are refinements, and unlearning would look otherwise.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from benchmarks.architectures import Architecture, Kind
from benchmarks.family import Family, Member
from benchmarks.operations import cast
from benchmarks.tasks import CHARACTERS, MODULES, DigitsTask, Task, TextTask
from benchmarks.topologies import TOPOLOGIES
from benchmarks.training import Recipe, relative_change

SMALLEST_STEP, LARGEST_STEP = 1e-3, 3e-2
ATTEMPTS = 4


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How often (in [0, 1]) a child is a bf16 copy, is stored in bf16, is a LoRA; optimisers."""

    copies: float
    stored: float
    adapters: float
    optimisers: tuple[str, ...]


MIXED = Habits(copies=0.1, stored=0.1, adapters=0.2, optimisers=("adam", "adamw", "adamw", "sgd"))
ADAM = Habits(copies=0.0, stored=0.0, adapters=0.0, optimisers=("adam", "adamw"))


def build(seed: int, families: int, *, habits: Habits = MIXED) -> Iterator[Family]:
    """Families of 10 to 16 models, GPT and ViT in turn."""
    for number in range(families):
        rng = random.Random(f"small-step/{seed}/{number}")
        kind = (Kind.GPT, Kind.VIT)[number % 2]
        architecture = draw_architecture(kind, rng)
        yield grow(f"F{number}", architecture, rng.randint(10, 16), rng, habits)


def draw_architecture(kind: Kind, rng: random.Random) -> Architecture:
    width, depth = rng.choice(((128, 4), (128, 6), (160, 4), (192, 4)))
    return Architecture(
        kind=kind,
        width=width,
        depth=depth,
        hidden=rng.choice((2, 4)) * width,
        outputs=len(CHARACTERS) if kind is Kind.GPT else 10,
        initial=rng.choice(("uniform", "normal")),
        tied=kind is Kind.GPT and rng.random() < 0.5,
    )


def grow(
    name: str, architecture: Architecture, size: int, rng: random.Random, habits: Habits
) -> Family:
    """A chain or a random tree of small steps."""
    family = Family(name)
    batch = 8 if architecture.kind is Kind.GPT else 20
    # Annealed, as models for others to build on are. From a root that its rate still shakes, all
    # children would first run down into the same valley: a drift far larger than their own steps.
    root = Recipe(
        rate=2e-3, decay=0.05, steps=1000, batch=2 * batch, seed=rng.getrandbits(31), annealed=True
    )
    # Noise keeps the root from learning the few images by heart, after which nothing moves it.
    family.plant(architecture, root, rng, task=None if batch == 8 else DigitsTask(noise=0.5))
    themes = [draw_theme(architecture, rng) for _ in range(2)]
    for place in TOPOLOGIES[rng.choice(("chain", "recursive", "preferential"))](size, rng):
        parent = family.members[place]
        if rng.random() < habits.copies and parent.params.get("stored") != "bf16":
            family.add(family.cast(parent, dtype="bf16", stored="bf16"))
            continue
        task = draw_share(themes[0] if rng.random() < 0.7 else themes[1], rng)
        step = math.exp(rng.uniform(math.log(SMALLEST_STEP), math.log(LARGEST_STEP)))
        child = _reach(family, parent, task, rng, habits, step=step, batch=batch)
        family.add(_store_bf16(child, parent) if rng.random() < habits.stored else child)
    return family


def draw_theme(architecture: Architecture, rng: random.Random) -> DigitsTask | TextTask:
    """What several members of a family learn: some modules, or the digits under some noise."""
    if architecture.kind is Kind.GPT:
        return TextTask(modules=tuple(rng.sample(MODULES, 12)), context=architecture.context)
    return DigitsTask(noise=rng.uniform(0.2, 0.8), inverted=rng.random() < 0.2, relabelled=False)


def draw_share(theme: DigitsTask | TextTask, rng: random.Random) -> DigitsTask | TextTask:
    """One member's own data of a theme, drawn anew: two modules, or some images of some digits."""
    if isinstance(theme, TextTask):
        return replace(theme, modules=tuple(rng.sample(theme.modules, 2)))
    classes = tuple(rng.sample(range(10), rng.randint(4, 8)))
    return replace(theme, classes=classes, share=0.5, seed=rng.getrandbits(31))


def _reach(
    family: Family,
    parent: Member,
    task: Task,
    rng: random.Random,
    habits: Habits,
    *,
    step: float,
    batch: int,
) -> Member:
    """Train with the rate that makes the wanted step, found by short pilots.

    The length of a run's path grows about as steps^0.8. When the step that comes out lies outside
    the zoo's range, the rate is corrected and the model is trained again.
    """
    low_rank = rng.random() < habits.adapters
    optimiser = "adamw" if low_rank else rng.choice(habits.optimisers)
    recipe = Recipe(
        optimiser=optimiser,
        rate={"sgd": 1e-2}.get(optimiser, 1e-3 if low_rank else 1e-5),
        decay=rng.choice((0.0, 0.01, 0.1)) if optimiser == "adamw" and not low_rank else 0.0,
        steps=rng.randint(40, 100),
        batch=batch,
        seed=rng.getrandbits(31),
    )
    rank = rng.choice((4, 8, 16))
    train: Callable[[Recipe], Member] = (
        (lambda r: family.adapt(parent, task, r, rank=rank))
        if low_rank
        else (lambda r: family.fine_tune(parent, task, r, rng))
    )
    # Without its first Adam steps' full length a LoRA moves with the square of the rate at first.
    power = 0.5 if low_rank else 1.0
    pilot = train(replace(recipe, steps=6))
    expected = pilot.params["relative_change"] * (recipe.steps / 6) ** (0.8 / power)
    for _ in range(ATTEMPTS):
        recipe = replace(recipe, rate=recipe.rate * (step / expected) ** power)
        child = train(recipe)
        expected = child.params["relative_change"]
        if SMALLEST_STEP <= expected <= LARGEST_STEP:
            return child
    raise RuntimeError(f"no rate makes a step of {step:.1e}: {expected:.1e} after {ATTEMPTS} runs")


def _store_bf16(child: Member, parent: Member) -> Member:
    """The same child, saved in bf16 as many are published; its relation stays."""
    weights = cast(child.weights, dtype="bf16", stored="bf16")
    change = relative_change(parent.weights, weights)
    params = {**child.params, "stored": "bf16", "relative_change": change}
    return replace(child, weights=weights, params=params)
