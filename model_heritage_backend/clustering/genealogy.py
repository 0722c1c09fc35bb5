"""What the engine answers: relations, edges with their doubt, family trees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

UNRESOLVED_BELOW = 0.5
"""Edges less likely than this are shown as unresolved: the parent is only the best guess."""


class Relation(StrEnum):
    """What was done to the parent to make the child."""

    FINETUNE = "finetune"
    PARTIAL = "partial"
    ADAPTER = "adapter"
    MERGE = "merge"
    QUANTIZED = "quantized"
    PRUNED = "pruned"
    CAST = "cast"
    DUPLICATE = "duplicate"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Why an edge is believed. Absent (None) is never a guess: it was not or could not be measured.

    Attributes
    ----------
    delta_rank : median numerical rank of the changed matrices' deltas, for low-rank edges
    changed_tensors, shared_tensors : tensors that differ / tensors the two models have in common
    changed : canonical names of the changed tensors of a partial fine-tune (at most 32)
    flags : "new_head", "extended_vocabulary", "confirmed" (by people); "reordered" and "rescaled"
        (units of one of the two were put back in order, or in scale, first); of a merge's parent
        "base" (the others' differences from it were merged) and "by_tensor" (coefficients differ);
        of an adapter that is a file of its own "unmerged", with "proven" where a merged child shows
        what its base is or "drift" where the family's differences agree with it; of that merged
        child "adapter_here"
    bits : grid of a quantised child (2 to 8)
    zero_fraction : share of zeros of a pruned child's matrices
    relative_change : norm(child - parent) / norm(parent) over shared matrices
    direction : log-odds (nats) that the parent is the parent and not the child, this edge alone
    signals : the direction signals that were measured, by name
    runner_up : id of the next best parent; None when no other model is possible
    margin : confidence minus the runner-up's, in [0, 1]
    merge_method : how the parents of a merge were put together: "linear", "slerp",
        "task_arithmetic", "ties" or "dare_linear"
    merge_parameters : of that method: "t", "density", "lambda", "normalize", "weight"
    gradient : this parent's coefficient in every numbered layer, where they differ by layer
    merged : of an unmerged adapter, the members that are the parent with it merged in, best first
    exact : True when the two files were read; False when only fingerprints were compared
    method : the TreeBuildingMethod that decided; "stated" where nothing but a person's word did
    stated_by : who confirmed this parent; the confidence of 1 is their word then, not a measure
    """

    delta_rank: int | None = None
    changed_tensors: int | None = None
    shared_tensors: int | None = None
    changed: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    bits: int | None = None
    zero_fraction: float | None = None
    relative_change: float | None = None
    direction: float | None = None
    signals: Mapping[str, float] = field(default_factory=dict)
    runner_up: str | None = None
    margin: float | None = None
    merge_method: str | None = None
    merge_parameters: Mapping[str, float] = field(default_factory=dict)
    gradient: tuple[float, ...] = ()
    merged: tuple[str, ...] = ()
    exact: bool = False
    method: str = "heritage"
    stated_by: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; the key order is fixed."""
        return {
            "delta_rank": self.delta_rank,
            "changed_tensors": self.changed_tensors,
            "shared_tensors": self.shared_tensors,
            "changed": list(self.changed),
            "flags": list(self.flags),
            "bits": self.bits,
            "zero_fraction": self.zero_fraction,
            "relative_change": self.relative_change,
            "direction": self.direction,
            "signals": dict(self.signals),
            "runner_up": self.runner_up,
            "margin": self.margin,
            "merge_method": self.merge_method,
            "merge_parameters": dict(self.merge_parameters),
            "gradient": list(self.gradient),
            "merged": list(self.merged),
            "exact": self.exact,
            "method": self.method,
            "stated_by": self.stated_by,
        }


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Parent -> child. ``main`` is False for the further parents of a merge only.

    ``coefficient`` is the parent's factor in a merge, else None: the child is the sum of
    coefficient x parent (of SLERP: 1 - t and t; of DARE: on average; of TIES, which no coefficients
    describe, None). Coefficients sum to 1, so that of the base of task arithmetic may be negative.
    ``distance`` is the L2 norm of child - parent over the shared matrices, divided by the parent's
    norm (>= 0); of an unmerged adapter of what it adds, over the adapted matrices. It is 1 where
    they share no matrix: then only people know of the edge.
    ``confidence``, in [0, 1], is the estimated probability that this parent is the true one, where
    models of equal values count as one.
    """

    parent: str
    child: str
    relation: Relation
    confidence: float
    distance: float
    main: bool = True
    coefficient: float | None = None
    evidence: Evidence = field(default_factory=Evidence)

    def __post_init__(self) -> None:
        if self.parent == self.child:
            raise ValueError(f"edge from {self.parent} to itself")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} is not in [0, 1]")
        if not 0.0 <= self.distance < float("inf"):
            raise ValueError(f"distance {self.distance} is not a finite number >= 0")

    @property
    def resolved(self) -> bool:
        return self.confidence >= UNRESOLVED_BELOW


class GhostLimit(StrEnum):
    """Why missing ancestors could not be noticed in a family."""

    FEW_MODELS = "few_models"
    FEW_MATRICES = "few_matrices"
    DRIFT = "drift"


@dataclass(frozen=True, kw_only=True)
class Ghost:
    """A possible missing ancestor. Its children have no main edge from a real model.

    Attributes
    ----------
    parent : the nearest ancestor that is here; None when the ghost stands above all that are
    distances : to each child, in the order of ``children`` and the units of ``Edge.distance``;
        empty when they were not measured
    """

    id: str
    children: tuple[str, ...]
    confidence: float
    parent: str | None = None
    distances: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.distances and len(self.distances) != len(self.children):
            raise ValueError(f"{self.id} has a distance to some of its children only")


@dataclass(frozen=True, kw_only=True)
class FamilyTree:
    """The genealogy of one family: a forest of main edges plus further merge parents.

    ``root`` is None when a ghost stands above all members; ``root_confidence`` is the ghost's then.
    It is None, too, of an adapter whose base is not known, which descends from something.
    ``method`` names the TreeBuildingMethod that made it. ``members`` are sorted. Checks itself:
    known ends, one main parent, no cycle. ``ghost_limit`` says why missing ancestors could not be
    noticed; None where they could, or were not looked for. ``solved_from`` names all that the tree
    follows from (``solutions``), where that is known.
    """

    members: tuple[str, ...]
    edges: tuple[Edge, ...]
    root: str | None
    root_confidence: float
    method: str
    ghosts: tuple[Ghost, ...] = ()
    ghost_limit: GhostLimit | None = None
    solved_from: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        known = set(self.members)
        main = {child: ghost.id for ghost in self.ghosts for child in ghost.children}
        for ghost in self.ghosts:
            ends = {*ghost.children, ghost.parent} - {None, *(other.id for other in self.ghosts)}
            if not ends <= known:
                raise ValueError(f"{ghost.id} leaves the family")
        for edge in self.edges:
            if edge.parent not in known or edge.child not in known:
                raise ValueError(f"edge {edge.parent} -> {edge.child} leaves the family")
            if edge.main and edge.child in main:
                raise ValueError(f"{edge.child} has two main parents")
            if edge.main:
                main[edge.child] = edge.parent
        if find_cycle(self.members, self.edges):
            raise ValueError("the genealogy has a cycle")

    @property
    def main_edges(self) -> dict[str, Edge]:
        """Child -> its main edge."""
        return {edge.child: edge for edge in self.edges if edge.main}

    def get_ancestors(self, member: str) -> list[str]:
        """Main line, nearest first."""
        main, line = self.main_edges, []
        while member in main:
            member = main[member].parent
            line.append(member)
        return line

    def get_children(self, member: str) -> list[Edge]:
        return [edge for edge in self.edges if edge.parent == member]

    def get_descendants(self, member: str) -> list[str]:
        """Breadth first, through every kind of edge, each once."""
        found = [member]
        for current in found:
            found += [e.child for e in self.get_children(current) if e.child not in found]
        return found[1:]


def find_cycle(members: Iterable[str], edges: Iterable[Edge]) -> list[str]:
    """Members that lie on or behind a cycle of the edges; empty when acyclic (Kahn's algorithm)."""
    waiting = dict.fromkeys(members, 0)
    children: dict[str, list[str]] = {}
    for edge in edges:
        waiting[edge.child] += 1
        children.setdefault(edge.parent, []).append(edge.child)
    ready = [member for member, count in waiting.items() if count == 0]
    for member in ready:
        for child in children.get(member, ()):
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(child)
    return sorted(set(waiting) - set(ready))
