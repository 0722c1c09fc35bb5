"""Zoos of the rarer operations: merges of all kinds, longer and deeper models, distilled ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from benchmarks import merging
from benchmarks.architectures import USUAL, Architecture, Kind
from benchmarks.family import Family, Member
from benchmarks.tasks import DigitsTask, Distillation, TextTask, draw_task, general_task
from benchmarks.training import Recipe, load, relative_change
from benchmarks.wild import draw_architecture, draw_recipe, draw_root_recipe

PLAIN = 5
"""Fine-tunes and adapters at first, for the rest to build on; the first three are the root's."""
RARE = 6
"""Operations per family, out of OPERATIONS."""
LATE = 1
"""Fine-tunes of what the rare operations made."""
FAR = 0.02
"""Relative change between the parents of a merge, at least."""


def build(seed: int, families: int) -> Iterator[Family]:
    """Families of 13 or 14 models, one architecture after the other, each with a distilled student,
    which shares no weights with its teacher and so is a family of its own.
    """
    order = random.Random(f"operations/{seed}")
    kinds = order.sample(USUAL, len(USUAL))
    for number in range(families):
        rng = random.Random(f"operations/{seed}/{number}")
        growth = Growth(f"F{number}", draw_architecture(kinds[number % len(kinds)], rng), rng)
        growth.grow()
        yield growth.family
        yield growth.distil(f"D{number}")


class Growth:
    """A family while it grows, with what its root was trained on."""

    def __init__(self, name: str, architecture: Architecture, rng: random.Random) -> None:
        self.family = Family(name)
        self.rng = rng
        self.architecture = architecture
        self.task: DigitsTask | TextTask = general_task(architecture, rng)
        self.recipe: Recipe = draw_root_recipe(architecture, rng)

    def grow(self) -> None:
        family, rng = self.family, self.rng
        family.plant(self.architecture, self.recipe, rng, task=self.task)
        for number in range(PLAIN):
            parent = family.root if number < 3 else rng.choice(family.members)
            self.train(parent, adapted=number >= 3 and rng.random() < 0.5)
        done = 0
        for operation in rng.sample(list(OPERATIONS), len(OPERATIONS)):
            before = len(family.members)
            if done < RARE:
                OPERATIONS[operation](self)
                done += len(family.members) > before
        for _ in range(LATE):
            self.train(rng.choice(family.members[PLAIN + 1 :]), adapted=False)

    def train(self, parent: Member, *, adapted: bool) -> Member:
        """A full fine-tune or a LoRA on a task of its own."""
        task = draw_task(parent.architecture, self.rng)
        recipe = draw_recipe(self.rng, low_rank=adapted)
        if adapted:
            rank = self.rng.choice((2, 4, 8))
            return self.family.add(self.family.adapt(parent, task, recipe, rank=rank))
        return self.family.add(self.family.fine_tune(parent, task, recipe, self.rng))

    def choose(self, count: int, *, trained_from_root: bool = False) -> list[Member]:
        """Trained members to merge, each far from the others; fewer where there are none."""
        free = [
            m
            for m in self.family.members[1:]
            if m.relation in ("finetune", "adapter")
            and m.architecture == self.architecture
            and (not trained_from_root or m.parents[0][0] is self.family.root)
        ]
        chosen: list[Member] = []
        for member in self.rng.sample(free, len(free)):
            if all(relative_change(m.weights, member.weights) > FAR for m in chosen):
                chosen.append(member)
        return chosen[:count]

    def distil(self, name: str) -> Family:
        """A family of one: a new network that learned from a member's outputs."""
        same = [m for m in self.family.members if m.architecture == self.architecture]
        chosen = self.rng.choice(same)
        family = Family(name, teacher=chosen)
        teacher = load(self.architecture, chosen.weights, 0).eval()
        recipe = replace(self.recipe, seed=self.rng.getrandbits(31))
        task = Distillation(task=self.task, teacher=teacher)
        family.plant(self.architecture, recipe, self.rng, task=task)
        return family


def _slerp(growth: Growth) -> None:
    parents = growth.choose(2)
    if len(parents) == 2:
        share = growth.rng.uniform(0.3, 0.7)
        weights = merging.slerp(parents[0].weights, parents[1].weights, coefficient=share)
        bonds = [(parents[0], share), (parents[1], 1 - share)]
        growth.family.add(growth.family.blend(weights, "slerp", bonds, params={}))


def _blend_three(growth: Growth) -> None:
    parents = growth.choose(3)
    if len(parents) == 3:
        shares = [growth.rng.uniform(0.5, 1.5) for _ in parents]
        shares = [share / sum(shares) for share in shares]
        weights = merging.blend([p.weights for p in parents], coefficients=shares)
        bonds = list(zip(parents, shares, strict=True))
        growth.family.add(growth.family.blend(weights, "linear-3", bonds, params={}))


def _task_arithmetic(growth: Growth) -> None:
    _merge_vectors(growth, "task-arithmetic")


def _dare(growth: Growth) -> None:
    _merge_vectors(growth, "dare")


def _merge_vectors(growth: Growth, operation: str) -> None:
    """Differences from the root, each with a factor; the root's own share is what is left of 1."""
    rng, root = growth.rng, growth.family.root
    parents = growth.choose(rng.choice((2, 2, 3)), trained_from_root=True)
    if len(parents) < 2:
        return
    factors = [rng.uniform(0.3, 1.0) for _ in parents]
    params: dict[str, float] = {}
    models = [p.weights for p in parents]
    if operation == "dare":
        params = {"drop": rng.uniform(0.3, 0.9)}
        seed = rng.getrandbits(31)
        weights = merging.dare(root.weights, models, factors=factors, **params, seed=seed)
    else:
        weights = merging.add_task_vectors(root.weights, models, factors=factors)
    bonds = [*zip(parents, factors, strict=True), (root, 1 - sum(factors))]
    child = growth.family.blend(weights, operation, bonds, base=root, params=params)
    growth.family.add(child)


def _ties(growth: Growth) -> None:
    """Which values are kept differs by place, so no coefficient describes the merge."""
    root = growth.family.root
    parents = growth.choose(growth.rng.choice((2, 3)), trained_from_root=True)
    if len(parents) < 2:
        return
    params = {"density": growth.rng.uniform(0.2, 0.6), "factor": growth.rng.uniform(0.7, 1.1)}
    weights = merging.ties(root.weights, [p.weights for p in parents], **params)
    bonds = [(parent, None) for parent in (*parents, root)]
    growth.family.add(growth.family.blend(weights, "ties", bonds, base=root, params=params))


def _deepen(growth: Growth) -> None:
    """Blocks duplicated as in passthrough merges: two overlapping runs; half are trained on."""
    rng, family = growth.rng, growth.family
    if growth.architecture.kind not in (Kind.VIT, Kind.GPT):
        return
    parent = rng.choice([m for m in family.members if m.architecture == growth.architecture])
    depth = growth.architecture.depth
    overlap = rng.randint(1, depth - 1)
    end = rng.randint(overlap, depth)
    child = family.deepen(parent, blocks=[*range(end), *range(end - overlap, depth)])
    if rng.random() < 0.5:
        task, recipe = draw_task(child.architecture, rng), draw_recipe(rng)
        trained = family.fine_tune(child, task, recipe, rng)
        params = {**child.params, **trained.params}
        child = replace(child, weights=trained.weights, relation="finetune", params=params)
    family.add(child)


def _continue(growth: Growth) -> None:
    """More of what the root was trained on, for as long again and longer."""
    rng = growth.rng
    recipe = replace(
        growth.recipe,
        rate=growth.recipe.rate * rng.uniform(0.3, 1.0),
        steps=round(growth.recipe.steps * rng.uniform(1.0, 2.0)),
        seed=rng.getrandbits(31),
    )
    child = growth.family.fine_tune(growth.family.root, growth.task, recipe, rng)
    growth.family.add(replace(child, operation="continued"))


def _quantise(growth: Growth) -> None:
    """A fine-tune in 4 or 8 bits."""
    parent = growth.rng.choice(growth.choose(len(growth.family.members)))
    bits, per_row = growth.rng.choice((8, 4)), growth.rng.random() < 0.5
    growth.family.add(growth.family.quantise(parent, bits=bits, per_row=per_row))


def _adapt_quantised(growth: Growth) -> None:
    """A quantised base and a LoRA on top of it, merged into it."""
    rng, family = growth.rng, growth.family
    parent = rng.choice([m for m in family.members if m.relation in (None, "finetune")])
    base = family.add(family.quantise(parent, bits=rng.choice((8, 4)), per_row=rng.random() < 0.5))
    child = growth.train(base, adapted=True)
    family.members[-1] = replace(child, operation="lora-on-quantised")


OPERATIONS: dict[str, Callable[[Growth], None]] = {
    "slerp": _slerp,
    "linear-3": _blend_three,
    "task-arithmetic": _task_arithmetic,
    "dare": _dare,
    "ties": _ties,
    "extended-depth": _deepen,
    "continued": _continue,
    "quantised": _quantise,
    "lora-on-quantised": _adapt_quantised,
}
"""Each adds its models, or none where the family has no parents for it."""
