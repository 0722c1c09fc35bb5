"""A family in the making: every way in which a model is born from another, with its truth."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks import operations
from benchmarks.architectures import Architecture
from benchmarks.tasks import Task, general_task
from benchmarks.training import (
    Recipe,
    Weights,
    adapt,
    choose_trained,
    fine_tune,
    load,
    relative_change,
    train_adapter,
    train_root,
)

Bond = tuple["Member", float | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Member:
    """One model with the truth about its birth.

    ``parents`` holds (parent, coefficient), main parent first; empty for a root.
    ``relation`` is the word the heritage document should find; ``operation`` says more.
    ``base`` is the parent that a merge of task vectors is relative to.
    """

    name: str
    weights: Weights
    architecture: Architecture
    parents: tuple[Bond, ...] = ()
    relation: str | None = None
    operation: str = "root"
    params: dict[str, Any] = field(default_factory=dict)
    base: Member | None = None


@dataclass(frozen=True)
class Altered:
    """Weights as they are published, and what was done to them: kind and parameters."""

    weights: Weights
    alterations: tuple[dict[str, Any], ...]


@dataclass
class Family:
    """Members in order of birth; the first is the root.

    Withheld ones are not published, altered ones are published otherwise than they were born.
    ``teacher`` is the member of another family whose outputs the root was trained on.
    """

    name: str
    members: list[Member] = field(default_factory=list)
    withheld: list[Member] = field(default_factory=list)
    altered: dict[Member, Altered] = field(default_factory=dict)
    teacher: Member | None = None

    @property
    def root(self) -> Member:
        return self.members[0]

    def add(self, member: Member) -> Member:
        self.members.append(member)
        return member

    def _bear(self, parent: Member, relation: str, operation: str, **values: Any) -> Member:
        params = values.pop("params", {})
        change = relative_change(parent.weights, values["weights"])
        return Member(
            name=f"{self.name}-{len(self.members)}",
            architecture=values.pop("architecture", parent.architecture),
            parents=values.pop("parents", ((parent, None),)),
            relation=relation,
            operation=operation,
            params={**params, "relative_change": change},
            **values,
        )

    def plant(
        self,
        architecture: Architecture,
        recipe: Recipe,
        rng: random.Random,
        *,
        task: Task | None = None,
    ) -> Member:
        """Train the root, on a general task unless one is given."""
        task = task or general_task(architecture, rng)
        weights = train_root(architecture, task, recipe)
        params = {"recipe": recipe.to_dict(), "task": task.describe()}
        member = Member(
            name=f"{self.name}-0", weights=weights, architecture=architecture, params=params
        )
        return self.add(member)

    def fine_tune(
        self,
        parent: Member,
        task: Task,
        recipe: Recipe,
        rng: random.Random,
        *,
        part: str = "all",
        outputs: int | None = None,
    ) -> Member:
        """Train all or a part of the parent on, perhaps under a new head or longer vocabulary."""
        architecture = replace(parent.architecture, outputs=outputs or parent.architecture.outputs)
        module = load(architecture, parent.weights, recipe.seed)
        trained = choose_trained(module, part, rng)
        weights = fine_tune(module, task, recipe, trained=trained)
        params: dict[str, Any] = {"recipe": recipe.to_dict(), "task": task.describe(), "part": part}
        if architecture != parent.architecture:
            params["outputs"] = outputs
            operation = "vocabulary" if architecture.kind.reads_text else "new-head"
        else:
            operation = "full" if part == "all" else f"frozen-{part}"
        return self._bear(
            parent,
            "finetune" if part == "all" else "partial",
            operation,
            architecture=architecture,
            weights=weights,
            params=params,
        )

    def adapt(
        self,
        parent: Member,
        task: Task,
        recipe: Recipe,
        *,
        rank: int,
        head: bool = False,
        outputs: int | None = None,
    ) -> Member:
        """LoRA merged into the weights."""
        architecture = replace(parent.architecture, outputs=outputs or parent.architecture.outputs)
        module = load(architecture, parent.weights, recipe.seed)
        weights = adapt(module, task, recipe, rank=rank, head=head)
        params = {"recipe": recipe.to_dict(), "task": task.describe(), "rank": rank, "head": head}
        return self._bear(
            parent, "adapter", "lora", architecture=architecture, weights=weights, params=params
        )

    def publish_adapter(
        self, parent: Member, task: Task, recipe: Recipe, *, rank: int, scale: float
    ) -> tuple[Member, Weights]:
        """A LoRA as a file of its own, and the weights of the parent with it merged in.

        ``scale``: what the factors' product is multiplied with when it is merged (alpha / rank),
        which their file does not tell.
        """
        module = load(parent.architecture, parent.weights, recipe.seed)
        merged, factors = train_adapter(module, task, recipe, rank=rank)
        stored = {n: v / scale if "lora_A" in n else v for n, v in factors.items()}
        params = {"recipe": recipe.to_dict(), "task": task.describe(), "rank": rank, "scale": scale}
        member = Member(
            name=f"{self.name}-{len(self.members)}",
            weights=stored,
            architecture=parent.architecture,
            parents=((parent, None),),
            relation="adapter",
            operation="unmerged",
            params=params,
        )
        return member, merged

    def bear_merged(self, parent: Member, weights: Weights, adapter: Member) -> Member:
        """The parent with an adapter merged in, as a member beside the adapter."""
        return self._bear(parent, "adapter", "lora", weights=weights, params=adapter.params)

    def quantise(self, parent: Member, *, bits: int, per_row: bool) -> Member:
        weights = operations.quantise(parent.weights, bits=bits, per_row=per_row)
        params = {"bits": bits, "per_row": per_row}
        return self._bear(parent, "quantized", f"int{bits}", weights=weights, params=params)

    def cast(self, parent: Member, *, dtype: str, stored: str) -> Member:
        weights = operations.cast(parent.weights, dtype=dtype, stored=stored)
        return self._bear(parent, "cast", dtype, weights=weights, params={"stored": stored})

    def prune(self, parent: Member, *, share: float) -> Member:
        weights = operations.prune(parent.weights, share=share)
        return self._bear(parent, "pruned", "prune", weights=weights, params={"share": share})

    def finish(self, parent: Member, relation: str, operation: str, weights: Weights) -> Member:
        """What was made of a parent's finished weights in some other way."""
        return self._bear(parent, relation, operation, weights=weights)

    def duplicate(self, parent: Member) -> Member:
        weights = operations.duplicate(parent.weights)
        return self._bear(parent, "duplicate", "duplicate", weights=weights)

    def merge(self, parent: Member, other: Member, *, coefficient: float) -> Member:
        """Linear merge; the parent with the larger share becomes the main one."""
        weights = operations.merge(parent.weights, other.weights, coefficient=coefficient)
        bonds: Sequence[Bond] = [(parent, coefficient), (other, 1 - coefficient)]
        bonds = sorted(bonds, key=lambda bond: -(bond[1] or 0.0))
        return self._bear(parent, "merge", "merge", weights=weights, parents=tuple(bonds))

    def blend(
        self,
        weights: Weights,
        operation: str,
        bonds: Sequence[Bond],
        *,
        base: Member | None = None,
        params: dict[str, Any],
    ) -> Member:
        """Any merge that was computed already. A base comes last, the largest share first."""
        ordered = sorted(bonds, key=lambda bond: (bond[0] is base, -(bond[1] or 0.0)))
        main = ordered[0][0]
        return self._bear(
            main,
            "merge",
            operation,
            weights=weights,
            parents=tuple(ordered),
            base=base,
            params=params,
        )

    def deepen(self, parent: Member, *, blocks: Sequence[int]) -> Member:
        """Blocks duplicated and renumbered, nothing trained: the rest of the body is unchanged."""
        weights = operations.deepen(parent.weights, blocks=blocks)
        architecture = replace(parent.architecture, depth=len(blocks))
        return Member(
            name=f"{self.name}-{len(self.members)}",
            weights=weights,
            architecture=architecture,
            parents=((parent, None),),
            relation="partial",
            operation="extended-depth",
            params={"blocks": list(blocks), "relative_change": 0.0},
        )
