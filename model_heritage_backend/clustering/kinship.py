"""How two members of a family are related, by its tree: parent, sibling, cousin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from model_heritage_backend.clustering.genealogy import Edge, FamilyTree

Line = tuple[Edge, ...]
KINSHIPS = (
    "same",
    "parent",
    "child",
    "ancestor",
    "descendant",
    "sibling",
    "relative",
    "none",
)


@dataclass(frozen=True, kw_only=True)
class Kinship:
    """What a second model is to a first.

    Attributes
    ----------
    kind : one of ``KINSHIPS``; "relative" has a common ancestor further up, "none" has no common
        ancestor among the models here
    path : ids from the first to the second, through their nearest common ancestor
    confidence : that every edge of the path is right, as if they were independent: the product of
        their confidences; None without a path
    edge : the edge between the two, of a parent or child
    """

    kind: str
    path: tuple[str, ...] = ()
    confidence: float | None = None
    edge: Edge | None = None


def find_kinship(tree: FamilyTree | None, first: str, second: str) -> Kinship:
    """Kinship of ``second`` to ``first``; ``tree`` is None for models of different families.

    The way up goes through every kind of edge; of several ways the most likely one is taken.
    """
    if first == second:
        return Kinship(kind="same", path=(first,), confidence=1.0)
    if tree is None:
        return Kinship(kind="none")
    up, up_second = _climb(tree, first), _climb(tree, second)
    common = up.keys() & up_second.keys()
    if not common:
        return Kinship(kind="none")
    top = max(
        sorted(common),
        key=lambda m: (
            -len(up[m]) - len(up_second[m]),
            _multiply(up[m]) * _multiply(up_second[m]),
        ),
    )
    rise, fall = up[top], up_second[top]
    path = (first, *(edge.parent for edge in rise), *(edge.child for edge in reversed(fall)))
    edges = (*rise, *fall)
    return Kinship(
        kind=_name(len(rise), len(fall)),
        path=path,
        confidence=_multiply(edges),
        edge=edges[0] if len(edges) == 1 else None,
    )


def _name(rise: int, fall: int) -> str:
    if fall == 0:
        return "parent" if rise == 1 else "ancestor"
    if rise == 0:
        return "child" if fall == 1 else "descendant"
    return "sibling" if (rise, fall) == (1, 1) else "relative"


def _multiply(line: Line) -> float:
    product = 1.0
    for edge in line:
        product *= edge.confidence
    return product


def _climb(tree: FamilyTree, member: str) -> Mapping[str, Line]:
    """Every ancestor, and the member itself -> the shortest, then most likely line up to it."""
    above: dict[str, list[Edge]] = {}
    for edge in tree.edges:
        above.setdefault(edge.child, []).append(edge)
    lines: dict[str, Line] = {member: ()}
    level: dict[str, Line] = {member: ()}
    while level:
        following: dict[str, Line] = {}
        for current, line in level.items():
            for edge in above.get(current, ()):
                longer = (*line, edge)
                known = following.get(edge.parent)
                if edge.parent in lines or (known and _multiply(known) >= _multiply(longer)):
                    continue
                following[edge.parent] = longer
        lines |= following
        level = following
    return lines
