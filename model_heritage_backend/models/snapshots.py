"""A family as it is, packed into little room: for its history.

Members are named once and edges point to them by place; numbers keep SIGNIFICANT digits, as a
change beyond them is none that anybody would look for. Of the evidence remains what says why: the
runner-up, the margin, the flags, and who stated it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from model_heritage_backend.clustering.genealogy import (
    Edge,
    Evidence,
    FamilyTree,
    Ghost,
    GhostLimit,
    Relation,
)

SIGNIFICANT = 6


@dataclass(frozen=True)
class Snapshot:
    """A family at one time. ``names``: of its members, as they were called; empty for a family
    that has gone up in others; ``given_name``: what people call it."""

    tree: FamilyTree
    names: Mapping[str, str] = field(default_factory=dict)
    given_name: str | None = None

    def tells_the_same(self, other: Snapshot) -> bool:
        """Whether nothing happened to the family; a member's new name is its own affair."""
        return replace(self, names={}) == replace(other, names={})


EMPTY = Snapshot(FamilyTree(members=(), edges=(), root=None, root_confidence=0.0, method="none"))


def take_snapshot(
    tree: FamilyTree, names: Mapping[str, str], given_name: str | None = None
) -> Snapshot:
    """What the history keeps of a tree: as it comes back from ``unpack``."""
    named = {member: names[member] for member in tree.members}
    return unpack(pack(Snapshot(tree, named, given_name)))


def pack(snapshot: Snapshot) -> bytes:
    tree = snapshot.tree
    places = {member: place for place, member in enumerate(tree.members)}
    content = {
        "members": [[member, snapshot.names[member]] for member in tree.members],
        "given_name": snapshot.given_name,
        "root": places[tree.root] if tree.root is not None else None,
        "root_confidence": _round(tree.root_confidence),
        "method": tree.method,
        "ghost_limit": tree.ghost_limit,
        "edges": [_pack_edge(edge, places) for edge in tree.edges],
        "ghosts": [
            [
                ghost.id,
                [places.get(child, child) for child in ghost.children],
                _round(ghost.confidence),
                places.get(ghost.parent, ghost.parent) if ghost.parent else None,
                [_round(distance) for distance in ghost.distances],
            ]
            for ghost in tree.ghosts
        ],
    }
    return zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 9)


def unpack(data: bytes) -> Snapshot:
    content = json.loads(zlib.decompress(data))
    names = dict(content["members"])
    ids = list(names)

    def name(place: int | str | None) -> Any:
        return ids[place] if isinstance(place, int) else place

    tree = FamilyTree(
        members=tuple(ids),
        edges=tuple(_unpack_edge(edge, ids, content["method"]) for edge in content["edges"]),
        root=name(content["root"]),
        root_confidence=content["root_confidence"],
        method=content["method"],
        ghosts=tuple(
            Ghost(
                id=ghost_id,
                children=tuple(name(child) for child in children),
                confidence=confidence,
                parent=name(parent),
                distances=tuple(distances),
            )
            for ghost_id, children, confidence, parent, distances in content["ghosts"]
        ),
        ghost_limit=GhostLimit(content["ghost_limit"]) if content["ghost_limit"] else None,
    )
    return Snapshot(tree, names, content["given_name"])


def _pack_edge(edge: Edge, places: Mapping[str, int]) -> list[Any]:
    evidence = edge.evidence
    return [
        places[edge.parent],
        places[edge.child],
        edge.relation.value,
        _round(edge.confidence),
        _round(edge.distance),
        int(edge.main),
        None if edge.coefficient is None else _round(edge.coefficient),
        # A runner-up may be of another family by now.
        places.get(evidence.runner_up, evidence.runner_up) if evidence.runner_up else None,
        None if evidence.margin is None else _round(evidence.margin),
        list(evidence.flags),
        evidence.stated_by,
    ]


def _unpack_edge(packed: list[Any], ids: list[str], method: str) -> Edge:
    parent, child, relation, confidence, distance, main, coefficient, second, margin, flags, by = (
        packed
    )
    return Edge(
        parent=ids[parent],
        child=ids[child],
        relation=Relation(relation),
        confidence=confidence,
        distance=distance,
        main=bool(main),
        coefficient=coefficient,
        evidence=Evidence(
            runner_up=ids[second] if isinstance(second, int) else second,
            margin=margin,
            flags=tuple(flags),
            method=method,
            stated_by=by,
        ),
    )


def _round(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT}g}")
