"""Missing zoos: wild ones of which a third of the models with children is withheld.

Withheld are rather those with two children or more: what had only one can hardly be missed, so
no family is a chain. A merge's parents and whatever has an exact duplicate stay, so that the
others' truth stays clear.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

from benchmarks import wild
from benchmarks.family import Family, Member

BRANCHING = ("star", "preferential", "recursive")
SHARE = 1 / 3
FEWEST = 3
"""A family keeps at least so many models."""


def build(seed: int, models: int | None) -> Iterator[Family]:
    """The families of a wild zoo, some members withheld; ``models`` counts these, too."""
    grown = wild.build(seed, models, kind="missing", topologies=BRANCHING)
    for number, family in enumerate(grown):
        withhold(family, random.Random(f"missing/{seed}/withheld/{number}"))
        yield family


def withhold(family: Family, rng: random.Random) -> None:
    """Withhold a third of the members that have children, rounded, where so many may go."""
    children = Counter(m.parents[0][0] for m in family.members if m.parents)
    kept = _list_kept(family)
    eligible = [member for member in family.members if member in children.keys() - kept]
    order = rng.sample(eligible, len(eligible))
    order.sort(key=lambda member: children[member] < 2)
    count = min(round(SHARE * len(children)), max(0, len(family.members) - FEWEST))
    family.withheld = order[:count]


def _list_kept(family: Family) -> set[Member]:
    kept: set[Member] = set()
    for member in family.members:
        if member.relation == "merge":
            kept |= {parent for parent, _ in member.parents}
        if member.relation == "duplicate":
            kept |= {member, member.parents[0][0]}
    return kept
