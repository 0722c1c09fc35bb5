"""What a merge is: a child, its parents, and how it was put together from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class MergeMethod(StrEnum):
    """mergekit's words for what was done."""

    LINEAR = "linear"
    SLERP = "slerp"
    TASK_ARITHMETIC = "task_arithmetic"
    TIES = "ties"
    DARE = "dare_linear"


@dataclass(frozen=True, kw_only=True)
class Merge:
    """How a child follows from its parents.

    Attributes
    ----------
    parents : two or more
    coefficients : one per parent: child = sum of coefficient x parent, up to rounding. Where they
        differ by tensor, their means; of DARE, the mean over its random choices. None for TIES,
        which keeps other values of each parent at every place
    method : the simplest that explains the child
    base : the parent from which the differences of the others were taken, where that is known
    parameters : of the method: "t" (SLERP), "density" in (0, 1] (TIES, DARE), and of TIES "lambda"
        and "normalize", 1 where the differences that are kept are averaged, 0 where they are added
    weights : of TIES, the factor of each parent's difference from the base
    gradients : per parent, its coefficient in every numbered layer; empty where these are all equal
    by_tensor : the coefficients differ by tensor
    residual : squared distance of the child from the sum, relative to the nearest parent's; of TIES
        and DARE, the share of values that the rule does not give
    """

    child: int
    parents: tuple[int, ...]
    coefficients: tuple[float | None, ...]
    method: MergeMethod = MergeMethod.LINEAR
    base: int | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    weights: tuple[float, ...] = ()
    gradients: tuple[tuple[float, ...], ...] = ()
    by_tensor: bool = False
    residual: float = 0.0

    @property
    def main(self) -> int:
        """The base where there is one: the child left from it. Else the parent with most say."""
        if self.base is not None:
            return self.base
        return max(self.parents, key=lambda p: (self.get_coefficient(p) or 0.0, -p))

    def get_coefficient(self, parent: int) -> float | None:
        return self.coefficients[self.parents.index(parent)]

    def get_parameters(self, parent: int) -> dict[str, float]:
        """What a recipe says beside this parent: ``parameters``, and "weight" of TIES."""
        own = {"weight": self.weights[self.parents.index(parent)]} if self.weights else {}
        return {**self.parameters, **own}

    def get_gradient(self, parent: int) -> tuple[float, ...]:
        return self.gradients[self.parents.index(parent)] if self.gradients else ()


def drop_cyclic_merges(merges: Mapping[int, Merge], parents: Mapping[int, int]) -> dict[int, Merge]:
    """Merges whose main edge comes from one of their parents, and whose others do not descend from
    them.

    Where the tree came out pointing the other way, the tree holds: a genealogy has no cycle.
    """
    above = {child: {parent} for child, parent in parents.items()}
    kept = {}
    for child, merge in sorted(merges.items()):
        parent = parents.get(child)
        if parent not in merge.parents:
            continue
        others = set(merge.parents) - {parent}
        if not any(child in _list_ancestors(above, other) for other in others):
            above[child] |= others
            kept[child] = merge
    return kept


def _list_ancestors(above: Mapping[int, set[int]], member: int) -> set[int]:
    """The member and everything that it descends from, by any edge."""
    found, waiting = {member}, [member]
    while waiting:
        new = above.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found
