"""Edges as people see them: relation, evidence, confidence and the runner-up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.arrangement import SCALED_ROUNDING, Arranged
from model_heritage_backend.clustering.confidence import (
    MERGE_CONFIDENCE,
    Doubt,
    calculate_confidence,
)
from model_heritage_backend.clustering.constraints import PlacedConstraints
from model_heritage_backend.clustering.copies import Copy
from model_heritage_backend.clustering.edge_judge import EdgeJudge
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.clustering.genealogy import (
    Edge,
    Evidence,
    Relation,
)
from model_heritage_backend.clustering.merges import Merge
from model_heritage_backend.clustering.orientation import Orientation
from model_heritage_backend.clustering.pair_statistics import AllPairs
from model_heritage_backend.clustering.relations import Change, classify_change

METHOD = "heritage"
SOURCE_MISSING = 0.45
"""Nobody trains what was stored in blocks of few bits, so such a model has but one true edge: from
the source it was rounded from. Any other edge of it has at most this confidence."""
OUT_OF_ORDER = 0.45
"""Largest confidence of an edge between models whose units are in different orders: unresolved."""
RESCALED = 0.75
"""Share of its confidence that is left to an edge with an end that was scaled back: factors are
measured against a relative, and bring both nearer to each other. Of 21 such edges of two zoos 14
were right."""
SIGNALS = (
    "norm_growth",
    "larger_share",
    "diagonal_excess",
    "entropy",
    "skew_forward",
    "skew_backward",
    "kurtosis",
    "vector_growth",
)


@dataclass(frozen=True)
class EdgeWriter:
    """Describes the edges of a family whose tree is settled.

    Attributes
    ----------
    members : places that take part, one of each group of duplicates
    pairs : statistics of every two of them
    gains : (n, n) nats
    copies : (source, copy) -> how
    merges : by child
    orientation : of the skeleton, with the posterior over roots
    constraints : what people know
    taus : of each child's grandparent, parent and itself, where measured
    acute : place -> what the steps from it to its neighbours typically share (``Corner.typical``)
    frames : place -> group of members whose units are in one order
    arranged : members that were put in order for the comparison, and how
    parents : child -> parent
    """

    family: AlignedFamily
    members: Sequence[int]
    pairs: AllPairs
    gains: NDArray[np.float64]
    copies: Mapping[tuple[int, int], Copy]
    merges: Mapping[int, Merge]
    judge: EdgeJudge
    orientation: Orientation
    constraints: PlacedConstraints
    taus: Mapping[int, float | None]
    acute: Mapping[int, float]
    frames: Mapping[int, int]
    arranged: Mapping[int, Arranged]
    parents: Mapping[int, int]

    def describe_tree(self) -> list[Edge]:
        below = _list_descendants(self.parents, self.members)
        edges = []
        for child, parent in self.parents.items():
            others = [m for m in self.members if m not in below[child] and m != parent]
            edges += self._describe(child, parent, others)
        return edges

    def describe_duplicate(self, first: int, twin: int, *, count: int) -> Edge:
        """Which of ``count`` equal files came first cannot be told: each is as likely."""
        return Edge(
            parent=self.family.ids[first],
            child=self.family.ids[twin],
            relation=Relation.DUPLICATE,
            confidence=1.0 / count,
            distance=0.0,
            evidence=Evidence(
                changed_tensors=0,
                shared_tensors=len(self.family.tensors[first]),
                relative_change=0.0,
                direction=0.0,
                flags=self._list_order_flags(first, twin),
                exact=self.family.fingerprints[twin].level == "full",
                method=METHOD,
            ),
        )

    def _describe(self, child: int, parent: int, others: Sequence[int]) -> list[Edge]:
        """``others``: members that might be the parent instead."""
        ids = self.family.ids
        merge, copy = self.merges.get(child), self.copies.get((parent, child))
        evidence = self.judge.measure(parent, child)
        runner_up = others[int(np.argmax(self.gains[others, child]))] if others else None
        confidence = self._calculate_confidence(child, parent, runner_up, others)
        change = classify_change(self.family, parent, child, evidence)
        relation = change.relation
        if merge is not None:
            relation = Relation.MERGE
        elif copy is not None:
            relation = copy.relation
        elif self._is_rescaled_copy(parent, child, evidence):
            relation = Relation.DUPLICATE
        edge = Edge(
            parent=ids[parent],
            child=ids[child],
            relation=relation,
            confidence=confidence,
            distance=self._get_distance(parent, child),
            coefficient=None if merge is None else merge.get_coefficient(parent),
            evidence=Evidence(
                **self._show_change(child, parent, relation, change, evidence, copy),
                direction=self.judge.direct(parent, child),
                signals={name: float(getattr(evidence, name)) for name in SIGNALS},
                runner_up=None if runner_up is None else ids[runner_up],
                margin=max(2 * confidence - 1, 0.0) if runner_up is not None else confidence,
                **_show_merge(merge, parent),
                exact=(parent, child) in self.judge.exact_pairs,
                method=METHOD,
            ),
        )
        if merge is None:
            return [edge]
        further = [p for p in merge.parents if p != parent]
        return [edge, *(self._describe_further(merge, other, edge) for other in further)]

    def _show_change(
        self,
        child: int,
        parent: int,
        relation: Relation,
        change: Change,
        evidence: ExactEvidence,
        copy: Copy | None,
    ) -> dict[str, Any]:
        """The fields of ``Evidence`` that tell what was done to the parent."""
        pruned = relation is Relation.PRUNED
        zeros = self.family.fingerprints[child].zero_fraction if pruned else None
        return {
            "delta_rank": change.delta_rank if relation is Relation.ADAPTER else None,
            "changed_tensors": sum(m.changed > 0 for m in evidence.matrices)
            + evidence.vectors_changed,
            "shared_tensors": len(evidence.matrices) + evidence.vectors,
            "changed": change.changed if relation is Relation.PARTIAL else (),
            "flags": (
                *change.flags,
                *(["confirmed"] if self._is_confirmed(child, parent) else []),
                *self._list_order_flags(parent, child),
                *_list_merge_flags(self.merges.get(child), parent),
            ),
            "bits": change.bits if copy is None else copy.bits,
            "zero_fraction": zeros,
            "relative_change": evidence.relative_change,
        }

    def _is_rescaled(self, parent: int, child: int) -> bool:
        ends = [self.arranged[m].arrangement for m in (parent, child) if m in self.arranged]
        return any(arrangement.is_scaled for arrangement in ends)

    def _is_rescaled_copy(self, parent: int, child: int, evidence: ExactEvidence) -> bool:
        """Whether scaling, and rounding, is all that the two differ by."""
        rounding = SCALED_ROUNDING * max(self.family.roundoff[[parent, child]])
        return (
            self._is_rescaled(parent, child)
            and evidence.vectors_changed == 0
            and all(matrix.relative_change <= rounding for matrix in evidence.matrices)
        )

    def _list_order_flags(self, parent: int, child: int) -> tuple[str, ...]:
        """What was undone before the two were compared."""
        found = [self.arranged[m].arrangement for m in (parent, child) if m in self.arranged]
        undone = {
            "reordered": any(arrangement.is_permuted for arrangement in found),
            "rescaled": self._is_rescaled(parent, child),
        }
        return tuple(flag for flag, holds in undone.items() if holds)

    def _describe_further(self, merge: Merge, other: int, edge: Edge) -> Edge:
        """The edge from another parent of a merge."""
        return Edge(
            parent=self.family.ids[other],
            child=edge.child,
            main=False,
            relation=Relation.MERGE,
            confidence=edge.confidence,
            distance=self._get_distance(other, merge.child),
            coefficient=merge.get_coefficient(other),
            evidence=Evidence(
                flags=_list_merge_flags(merge, other),
                exact=False,
                method=METHOD,
                **_show_merge(merge, other),
            ),
        )

    def _calculate_confidence(
        self, child: int, parent: int, runner_up: int | None, others: Sequence[int]
    ) -> float:
        if self._is_confirmed(child, parent):
            return 1.0
        doubt = self.measure_doubt(child, parent, runner_up, others)
        # Of equal models one was made from the parent, and the others are its copies. Whichever it
        # was, their line is the same, and so is what they inherit.
        return self._apply_proofs(child, parent, doubt, others)

    def measure_doubt(
        self, child: int, parent: int, runner_up: int | None, others: Sequence[int]
    ) -> Doubt:
        """What the confidence of an edge that nothing proves rests on."""
        return Doubt(
            certainty=self.orientation.calculate_certainty(child),
            margin=self._calculate_margin(parent, child, runner_up),
            copy=(parent, child) in self.copies,
            step=self.judge.measure(parent, child).relative_change
            or self._get_distance(parent, child),
            twin=self._measure_twin(parent, child, others),
            tau=self.taus.get(child),
            acute=self.acute.get(parent, 0.0),
            swaps=tuple(self._list_swaps(child, parent)),
        )

    def _list_swaps(self, child: int, parent: int) -> Iterator[tuple[float, float]]:
        """Of the line from the grandparent and of those to the child's own children."""
        lines = [(parent, child, below) for below, p in self.parents.items() if p == child]
        if parent in self.parents:
            lines.append((self.parents[parent], parent, child))
        for a, b, c in lines:
            if not (self._is_proven(a, b) or self._is_proven(b, c)):
                gap = self.gains[a, b] - self.gains[a, c]
                yield float(gap / max(self.pairs.values[a, b], 1)), self.judge.direct(b, c)

    def _is_proven(self, parent: int, child: int) -> bool:
        copied = (parent, child) in self.copies
        return copied or child in self.merges or self._is_confirmed(child, parent)

    def _apply_proofs(self, child: int, parent: int, doubt: Doubt, others: Sequence[int]) -> float:
        """Confidence, with what is proven of the edge and what bars a proof."""
        confidence = calculate_confidence(doubt)
        if child in self.merges:
            return max(confidence, MERGE_CONFIDENCE)
        if self._is_rescaled(parent, child):
            confidence *= RESCALED
        if doubt.copy:
            return confidence / self.copies[parent, child].sources
        if any(self.family.fingerprints[end].is_made_of_blocks for end in (parent, child)):
            return min(confidence, SOURCE_MISSING)
        if self.frames[parent] != self.frames[child]:
            return min(confidence, OUT_OF_ORDER)
        # Any of those whose units are in another order may be the parent as well.
        elsewhere = sum(self.frames[m] != self.frames[child] for m in others)
        return confidence * (1 - elsewhere / (len(others) + 1))

    def _calculate_margin(self, parent: int, child: int, runner_up: int | None) -> float:
        """Gain over the best other parent, in nats per value; 1 when there is no other."""
        if runner_up is None:
            return 1.0
        gap = self.gains[parent, child] - self.gains[runner_up, child]
        return float(gap / max(self.pairs.values[parent, child], 1))

    def _measure_twin(self, parent: int, child: int, others: Sequence[int]) -> float:
        """Distance from the parent to the nearest other candidate, in units of the child's step."""
        step = self._get_distance(parent, child)
        nearest = float(self.pairs.distances[parent, others].min(initial=math.inf))
        # Where all matrices are equal, another model that has them as well is no farther.
        return nearest / step if step > 0.0 else (math.inf if nearest > 0.0 else 0.0)

    def _is_confirmed(self, child: int, parent: int) -> bool:
        return self.constraints.confirmed.get(child) == parent

    def _get_distance(self, a: int, b: int) -> float:
        return float(self.pairs.distances[a, b])


def _show_merge(merge: Merge | None, parent: int) -> dict[str, Any]:
    """The fields of ``Evidence`` that tell how a merge was made."""
    if merge is None:
        return {}
    return {
        "merge_method": merge.method.value,
        "merge_parameters": merge.get_parameters(parent),
        "gradient": merge.get_gradient(parent),
    }


def _list_merge_flags(merge: Merge | None, parent: int) -> tuple[str, ...]:
    if merge is None:
        return ()
    found = {"base": merge.base == parent, "by_tensor": merge.by_tensor}
    return tuple(flag for flag, holds in found.items() if holds)


def _list_descendants(parents: Mapping[int, int], members: Sequence[int]) -> dict[int, set[int]]:
    """Each member with everything below it, itself included."""
    below = {member: {member} for member in members}
    for member in members:
        above = member
        while above in parents:
            above = parents[above]
            below[above].add(member)
    return below
