"""A family tree around what people state: solved in parts where one solution cannot hold it all.

A confirmed parent among strangers says nothing that the engine could use: both of their parts are
solved by themselves, the child's from the child as its root, and joined by the edge that was
stated. And where a family comes to have two models that descend from no other, of which each was
true when it was stated, it has two trees.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse.csgraph import connected_components

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.constraints import Constraints
from model_heritage_backend.clustering.copies import group_duplicates
from model_heritage_backend.clustering.cuts import join_nearest, list_pairs
from model_heritage_backend.clustering.distance_calculator import calculate_relative_change
from model_heritage_backend.clustering.genealogy import Edge, Evidence, FamilyTree, Ghost, Relation
from model_heritage_backend.clustering.relatedness import find_components
from model_heritage_backend.clustering.statements import Knowledge
from model_heritage_backend.fingerprints import Fingerprint

NOTHING_SHARED = 1.0
"""Distance of models that share no matrix: all that the parent holds is gone."""

Fingerprints = Mapping[str, Fingerprint]
Solve = Callable[[Fingerprints, Constraints], FamilyTree]


@dataclass(frozen=True)
class Parts:
    """How a family is solved.

    Attributes
    ----------
    parts : members of each, sorted
    across : child -> parent in another part, as stated
    """

    parts: tuple[tuple[str, ...], ...]
    across: Mapping[str, str] = field(default_factory=dict)

    @property
    def tops(self) -> list[int]:
        """Places of the parts that hang from no other: as many trees has the family."""
        return [place for place, part in enumerate(self.parts) if not self.across.keys() & {*part}]


def solve_in_parts(
    fingerprints: Fingerprints, known: Knowledge, facts: Mapping[str, str], solve: Solve
) -> FamilyTree:
    """The tree of a family of models around what is known of them.

    Parameters
    ----------
    facts : child -> parent, as other models prove it; what people say comes first
    solve : solves one part under constraints that one tree can meet

    Raises
    ------
    Conflict
        When facts contradict each other, or people themselves.
    """
    known = known.among(fingerprints)
    if not known:
        return solve(fingerprints, Constraints(confirmed=facts))
    found = find_parts(fingerprints, known)
    trees = [
        solve({m: fingerprints[m] for m in part}, _constrain(part, known, found.across, facts))
        for part in found.parts
    ]
    tree = _join(trees, found, fingerprints)
    return replace(tree, edges=tuple(tell_author(edge, known) for edge in tree.edges))


def _constrain(
    part: Sequence[str], known: Knowledge, across: Mapping[str, str], facts: Mapping[str, str]
) -> Constraints:
    members = set(part)
    allowed = {c: p for c, p in facts.items() if c not in known.roots | across.keys()}
    allowed = {c: p for c, p in allowed.items() if (p, c) not in known.forbidden}
    stated = {**allowed, **known.confirmed}
    entries = sorted(members & across.keys()) or sorted(members & known.roots)
    return Constraints(
        confirmed={c: p for c, p in stated.items() if {c, p} <= members},
        forbidden=frozenset(pair for pair in known.forbidden if members.issuperset(pair)),
        root=entries[0] if entries else None,
    )


# Cutting -----------------------------------------------------------------------------------------


def find_parts(fingerprints: Fingerprints, known: Knowledge) -> Parts:
    """The parts that a family has to be solved in: one, unless what is stated needs more."""
    known = known.among(fingerprints)
    across, waiting = _find_strangers(fingerprints, known)
    done: list[list[str]] = []
    while waiting:
        part = waiting.pop()
        pieces = _cut(part, _find_sources(part, fingerprints, known, across), fingerprints, known)
        if len(pieces) > 1:
            waiting += pieces
        else:
            done.append(part)
        if not waiting:
            waiting, done = _open_circle(done, across, fingerprints, known)
    return Parts(tuple(sorted(tuple(part) for part in done)), across)


def _find_strangers(
    fingerprints: Fingerprints, known: Knowledge
) -> tuple[dict[str, str], list[list[str]]]:
    """Confirmed edges between strangers, and the parts that only these join."""
    if not known.confirmed:
        return {}, [sorted(fingerprints)]
    parts = find_components(fingerprints)
    while True:
        places = {member: place for place, part in enumerate(parts) for member in part}
        across = {c: p for c, p in known.confirmed.items() if places[c] != places[p]}
        joined = join_nearest(
            [part[0] for part in parts],
            [(parts[places[c]][0], parts[places[p]][0]) for c, p in across.items()],
        )
        if len(joined) < 2:
            return across, parts
        # Strangers that nobody's word has joined are one family to a method with other borders.
        below = {places[child] for child in across}
        tops = {
            min({places[m] for m in group} - below, default=places[group[0]]) for group in joined
        }
        merged = sorted(member for top in tops for member in parts[top])
        parts = [*(part for place, part in enumerate(parts) if place not in tops), merged]


def _find_sources(
    part: Sequence[str], fingerprints: Fingerprints, known: Knowledge, across: Mapping[str, str]
) -> list[set[str]]:
    """Groups of members of which nobody else may be the parent. A tree has one of them."""
    members = set(part)
    fixed = dict.fromkeys(members & (known.roots | across.keys()))
    confirmed = {c: p for c, p in known.confirmed.items() if {c, p} <= members}
    forbidden = [pair for pair in known.forbidden if members.issuperset(pair)]
    if not forbidden:
        # All others may descend from whatever is fixed.
        return [{member} for member in sorted(fixed)]
    family = AlignedFamily.build({member: fingerprints[member] for member in part})
    twins = group_duplicates(family)
    place = {name: twins[i] for i, name in enumerate(family.ids)}
    possible = np.ones((len(part), len(part)), bool)
    for parent, child in forbidden:
        possible[place[parent], place[child]] = False
    for child, parent in confirmed.items():
        if place[child] != place[parent]:
            possible[:, place[child]] = False
            possible[place[parent], place[child]] = True
    possible[:, [place[member] for member in fixed]] = False
    leaders = sorted(set(twins))
    possible = possible[np.ix_(leaders, leaders)] & ~np.eye(len(leaders), dtype=bool)
    count, label = connected_components(possible, directed=True, connection="strong")
    entered = {
        int(label[c]) for p, c in zip(*np.nonzero(possible), strict=True) if label[p] != label[c]
    }
    return [
        {name for name, i in place.items() if label[leaders.index(i)] == group}
        for group in range(count)
        if group not in entered
    ]


def _cut(
    part: Sequence[str],
    sources: Sequence[Collection[str]],
    fingerprints: Fingerprints,
    known: Knowledge,
) -> list[list[str]]:
    if len(sources) < 2:
        return [list(part)]
    members = {member: fingerprints[member] for member in part}
    confirmed = [(c, p) for c, p in sorted(known.confirmed.items()) if {c, p} <= members.keys()]
    return join_nearest(members, list_pairs(members), together=confirmed, apart=[sources])


def _open_circle(
    parts: list[list[str]], across: Mapping[str, str], fingerprints: Fingerprints, known: Knowledge
) -> tuple[list[list[str]], list[list[str]]]:
    """(parts to look at again, the others): one part cut where parts hang from each other."""
    places = {member: place for place, part in enumerate(parts) for member in part}
    entries = {places[child]: child for child in across}
    for start in sorted(entries):
        place, circle = start, []
        while place in entries and place not in circle:
            circle.append(place)
            place = places[across[entries[place]]]
        if place != start or place not in entries:
            continue
        for place, below in zip(circle, [*circle[-1:], *circle[:-1]], strict=True):
            leaving = across[entries[below]]
            if leaving == entries[place]:
                continue
            pieces = _cut(parts[place], [{entries[place]}, {leaving}], fingerprints, known)
            if len(pieces) > 1:
                return pieces, [part for i, part in enumerate(parts) if i != place]
    return [], parts


# Joining -----------------------------------------------------------------------------------------


def _join(trees: Sequence[FamilyTree], found: Parts, fingerprints: Fingerprints) -> FamilyTree:
    if len(trees) == 1:
        return trees[0]
    largest = max(trees, key=lambda tree: (len(tree.members), tree.members))
    top = trees[found.tops[0]] if len(found.tops) == 1 else None
    edges = [edge for tree in trees for edge in tree.edges]
    edges += [_state(parent, child, fingerprints) for child, parent in found.across.items()]
    ghosts = [ghost for tree in trees for ghost in _rename(tree.ghosts, tree.members[0])]
    return FamilyTree(
        members=tuple(sorted(member for tree in trees for member in tree.members)),
        edges=tuple(sorted(edges, key=lambda edge: (edge.child, not edge.main, edge.parent))),
        root=top.root if top else None,
        root_confidence=top.root_confidence if top else 0.0,
        method=largest.method,
        ghosts=tuple(ghosts),
        ghost_limit=largest.ghost_limit,
    )


def _rename(ghosts: Sequence[Ghost], part: str) -> list[Ghost]:
    """Ghosts of several parts under ids of their own."""
    names = {ghost.id: f"{ghost.id}-{part}" for ghost in ghosts}
    return [
        replace(
            ghost,
            id=names[ghost.id],
            children=tuple(names.get(child, child) for child in ghost.children),
            parent=names.get(ghost.parent, ghost.parent) if ghost.parent else None,
        )
        for ghost in ghosts
    ]


def measure_distance(fingerprints: Fingerprints, parent: str, child: str) -> float:
    """Of any two models, over the matrices that they share."""
    pair = AlignedFamily.build({name: fingerprints[name] for name in (parent, child)})
    shared = pair.shared_matrices(0, 1)
    return calculate_relative_change(shared) if shared else NOTHING_SHARED


def _state(parent: str, child: str, fingerprints: Fingerprints) -> Edge:
    """An edge that nothing but a person's word speaks for."""
    return Edge(
        parent=parent,
        child=child,
        relation=Relation.UNRESOLVED,
        confidence=1.0,
        distance=measure_distance(fingerprints, parent, child),
        evidence=Evidence(flags=("confirmed",), method="stated"),
    )


def tell_author(edge: Edge, known: Knowledge) -> Edge:
    """Whose word an edge is; its certainty is theirs and was not measured."""
    if not edge.main or known.confirmed.get(edge.child) != edge.parent:
        return edge
    flags = tuple(dict.fromkeys((*edge.evidence.flags, "confirmed")))
    told = replace(
        edge.evidence,
        flags=flags,
        margin=None,
        stated_by=known.authors[edge.child],
    )
    return replace(edge, confidence=1.0, evidence=told)
