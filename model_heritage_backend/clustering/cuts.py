"""Groups of models that must be cut, or joined, because people say so.

Models join along the strongest likeness first, and never where that would put together what is to
be apart: single linkage under constraints. Which group a model ends in, of which nothing was said,
is then for its nearest relative to decide, and no order of arrival matters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from model_heritage_backend.clustering.relatedness import calculate_relatedness, relate_all
from model_heritage_backend.fingerprints import Fingerprint

DIGITS = 6
"""Of likeness that counts: what lies behind depends on how products were put together."""

Pair = tuple[str, str]
Separation = Sequence[Collection[str]]
"""Sets of models; members of different sets are to be apart."""


def join_nearest(
    members: Collection[str],
    pairs: Iterable[Pair],
    *,
    together: Iterable[Pair] = (),
    apart: Sequence[Separation] = (),
) -> list[list[str]]:
    """Groups of members.

    Parameters
    ----------
    pairs : that belong together, the surest first
    together : that belong together in any case; must not contradict ``apart``
    apart : what is not to be in one group

    Returns
    -------
    Lists of ids, largest first, each sorted.
    """
    groups = {member: {member} for member in members}
    sides: dict[str, dict[int, int]] = {member: {} for member in members}
    for number, sets in enumerate(apart):
        for side, separate in enumerate(sets):
            for member in separate:
                if member in sides:
                    sides[member][number] = side
    for first, second in [*together, *pairs]:
        one, other = groups[first], groups[second]
        if one is other or _contradict(sides[first], sides[second]):
            continue
        common = sides[first] | sides[second]
        one |= other
        for member in one:
            groups[member], sides[member] = one, common
    found = {id(group): sorted(group) for group in groups.values()}
    return sorted(found.values(), key=lambda group: (-len(group), group))


def _contradict(first: Mapping[int, int], second: Mapping[int, int]) -> bool:
    return any(second.get(number, side) != side for number, side in first.items())


def list_relatives(fingerprints: Mapping[str, Fingerprint]) -> list[Pair]:
    """Pairs that are related by the test, most alike first."""
    return _list_pairs(fingerprints, strangers=False)


def list_pairs(fingerprints: Mapping[str, Fingerprint]) -> list[Pair]:
    """All pairs, relatives before strangers, most alike first."""
    return _list_pairs(fingerprints, strangers=True)


def _list_pairs(fingerprints: Mapping[str, Fingerprint], *, strangers: bool) -> list[Pair]:
    ids = sorted(fingerprints, key=lambda i: (fingerprints[i].checksum, i))
    prints = [fingerprints[i] for i in ids]
    likeness = np.round(calculate_relatedness(prints, prints).correlation, DIGITS)
    related = relate_all(prints)
    asked = np.triu(np.ones_like(related) if strangers else related, 1)
    order = sorted(
        zip(*np.nonzero(asked), strict=True), key=lambda p: (not related[p], -likeness[p], p)
    )
    return [(ids[a], ids[b]) for a, b in order]
