"""How likely one model descends from another, along the edges of a genealogy.

The confidence of an edge is the probability that its parent is a true one. A model descends from
another when a chain of true edges leads from that one to it: along a single line, the product of
the edges' confidences. A merge has several parents, and any of them may hand something on. With
``d`` the last model that all ways to the merge ``c`` go through,

    P(c) = P(d) (1 - prod_i (1 - q_i P(p_i) / P(d)))

over its parents ``p_i`` by edges of confidence ``q_i``. Dividing by P(d) counts what the ways share
once. It is exact where ways that part meet again without crossing others, and an upper bound
elsewhere, because edges that are shared make ways come true together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from model_heritage_backend.clustering.genealogy import Relation


@dataclass(frozen=True)
class Link:
    """One edge, parent -> child; ``confidence`` in [0, 1]."""

    parent: str
    child: str
    relation: str
    confidence: float
    main: bool = True


@dataclass(frozen=True)
class Reach:
    """A model that is reached from another.

    Attributes
    ----------
    probability : in [0, 1], see the module's head
    path : links of the likeliest way, from the other to this one; their product is at most
        ``probability``
    """

    model_id: str
    probability: float
    path: tuple[Link, ...]


def trace_descendants(links: Iterable[Link], start: str) -> list[Reach]:
    """All that descend from ``start`` by these links, the most probable first."""
    incoming = _list_incoming(links, start)
    probability, likeliest = {start: 1.0}, {start: 1.0}
    gate, depth = {start: start}, {start: 0}
    back: dict[str, Link] = {}
    for child, edges in incoming.items():
        common = edges[0].parent
        for edge in edges[1:]:
            common = _find_common(common, edge.parent, gate, depth)
        gate[child], depth[child] = common, depth[common] + 1
        probability[child] = _join(edges, probability, probability[common])
        back[child] = max(edges, key=lambda e: (likeliest[e.parent] * e.confidence, e.parent))
        likeliest[child] = likeliest[back[child].parent] * back[child].confidence
    found = [Reach(child, probability[child], _walk_back(child, back)) for child in incoming]
    return sorted(found, key=lambda reach: (-reach.probability, reach.model_id))


def trace_effects(links: Iterable[Link], start: str) -> list[Reach]:
    """All that hold something of ``start``: its descendants, where models of equal weights are one.

    A duplicate's edge is only as sure as that the one came before the other. What is wrong with the
    weights is wrong with both, whichever came first: between duplicates the way has probability 1
    in both directions.
    """
    links = list(links)
    same = _group_duplicates(links)
    name = {member: group[0] for group in same.values() for member in group}

    def rename(member: str) -> str:
        return name.get(member, member)

    origin: dict[tuple[str, str], Link] = {}
    between = []
    for link in links:
        if link.relation != Relation.DUPLICATE:
            renamed = Link(
                rename(link.parent), rename(link.child), link.relation, link.confidence, link.main
            )
            if renamed.parent != renamed.child:
                origin[renamed.parent, renamed.child] = link
                between.append(renamed)
    found = []
    own = Reach(rename(start), 1.0, ())
    for reach in [own, *trace_descendants(between, own.model_id)]:
        path = [origin[link.parent, link.child] for link in reach.path]
        found += [
            Reach(member, reach.probability, _connect(path, start, member))
            for member in same.get(reach.model_id, (reach.model_id,))
            if member != start
        ]
    return sorted(found, key=lambda reach: (-reach.probability, reach.model_id))


def trace_sources(links: Iterable[Link], target: str) -> list[Reach]:
    """All that ``target`` holds something of, as ``trace_effects``; paths lead down to it."""
    links = list(links)
    above = _list_above(links, target)
    inside = [link for link in links if link.parent in above and link.child in above]
    found = []
    for source in sorted(above - {target}):
        reached = next(r for r in trace_effects(inside, source) if r.model_id == target)
        found.append(Reach(source, reached.probability, reached.path))
    return sorted(found, key=lambda reach: (-reach.probability, reach.model_id))


def _list_incoming(links: Iterable[Link], start: str) -> dict[str, list[Link]]:
    """Of every model below ``start`` its links from there, parents before children."""
    children: dict[str, list[Link]] = {}
    for link in links:
        children.setdefault(link.parent, []).append(link)
    inside, waiting = {start}, [start]
    while waiting:
        for link in children.get(waiting.pop(), ()):
            if link.child not in inside:
                inside.add(link.child)
                waiting.append(link.child)
    missing = Counter(link.child for member in inside for link in children.get(member, ()))
    incoming: dict[str, list[Link]] = {}
    ordered, ready = {}, [start]
    while ready:
        for link in children.get(ready.pop(), ()):
            incoming.setdefault(link.child, []).append(link)
            missing[link.child] -= 1
            if missing[link.child] == 0:
                ordered[link.child] = incoming[link.child]
                ready.append(link.child)
    return ordered


def _find_common(a: str, b: str, gate: Mapping[str, str], depth: Mapping[str, int]) -> str:
    while a != b:
        if depth[a] >= depth[b]:
            a = gate[a]
        else:
            b = gate[b]
    return a


def _join(edges: Sequence[Link], probability: Mapping[str, float], shared: float) -> float:
    if len(edges) == 1:
        return probability[edges[0].parent] * edges[0].confidence
    if shared == 0.0:
        return 0.0
    ways = (edge.confidence * min(probability[edge.parent] / shared, 1.0) for edge in edges)
    return shared * (1.0 - math.prod(1.0 - way for way in ways))


def _walk_back(child: str, back: Mapping[str, Link]) -> tuple[Link, ...]:
    path = []
    while child in back:
        path.append(back[child])
        child = back[child].parent
    return tuple(reversed(path))


def _group_duplicates(links: Iterable[Link]) -> dict[str, list[str]]:
    """First member -> all members, sorted, of models that duplicate edges join."""
    near: dict[str, list[str]] = {}
    for link in links:
        if link.relation == Relation.DUPLICATE:
            near.setdefault(link.parent, []).append(link.child)
            near.setdefault(link.child, []).append(link.parent)
    groups: dict[str, list[str]] = {}
    seen: set[str] = set()
    for member in near:
        if member not in seen:
            group, waiting = {member}, [member]
            while waiting:
                new = set(near[waiting.pop()]) - group
                group |= new
                waiting += new
            seen |= group
            ordered = sorted(group)
            groups[ordered[0]] = ordered
    return groups


def _connect(path: Sequence[Link], start: str, end: str) -> tuple[Link, ...]:
    """A path with the steps between equal models put in."""
    whole: list[Link] = []
    here = start
    for link in path:
        if link.parent != here:
            whole.append(Link(here, link.parent, Relation.DUPLICATE.value, 1.0))
        whole.append(link)
        here = link.child
    if here != end:
        whole.append(Link(here, end, Relation.DUPLICATE.value, 1.0))
    return tuple(whole)


def _list_above(links: Sequence[Link], target: str) -> set[str]:
    parents: dict[str, list[str]] = {}
    for link in links:
        parents.setdefault(link.child, []).append(link.parent)
        if link.relation == Relation.DUPLICATE:
            parents.setdefault(link.parent, []).append(link.child)
    above, waiting = {target}, [target]
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in above:
                above.add(parent)
                waiting.append(parent)
    return above
