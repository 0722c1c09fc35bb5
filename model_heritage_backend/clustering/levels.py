"""Whether one of two matrices was rounded from the other, to few levels in each group of values.

Programs that quantise to 4 bits and fewer give every 32 or more neighbours in a row levels of their
own, evenly spaced from the smallest value to the largest (GPTQ, AWQ, GGUF) or not (NF4). Whatever
the scheme, of such a group few values differ, and where they were rounded to the nearest, those of
the source lie evenly all over the cells around them. What was trained on from a quantised model
lies near the middle of the cells, or beyond their ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GROUP = 32
"""Neighbours in a row that are looked at together: schemes with groups have 32, 64 or 128."""
GROUPS = 64
"""Looked at in each matrix, evenly spaced."""
LEVELS = 16
NONZERO = 20
"""Of a group with more zeros little can be said: it may have been pruned."""
NEARLY_ALL = 0.98
"""Share of the groups with few levels, and of the source's values inside the cells, at least."""
OUTER, OUTER_SHARE = 0.8, 0.1
"""More than this share of the source's values lie in the outer fifth of their half of a cell. It is
0.2 of even errors, less where a level is not taken. No normal ones reach 0.1 and leave the cells
with 2 % only."""

Floats = NDArray[np.floating]


def count_levels(x: Floats, y: Floats) -> NDArray[np.int64]:
    """Levels per group of matrices that were rounded.

    Parameters
    ----------
    x, y : matrices of two models, (k, rows, columns)

    Returns
    -------
    (k,): 2 to 16 where y was rounded from x, -2 to -16 where x was from y, 0 where neither, or
    where there are fewer than GROUP columns
    """
    levels = np.zeros(len(x), np.int64)
    if x.shape[1] == 0 or x.shape[2] < GROUP:
        return levels
    few_x, few_y = (_has_few_levels(_take_groups(values, 1)[:, 0]) for values in (x, y))
    for place in np.flatnonzero(few_y & ~few_x):
        levels[place] = _count(x[place], y[place])
    for place in np.flatnonzero(few_x & ~few_y):
        levels[place] = -_count(y[place], x[place])
    return levels


def _count(source: Floats, copy: Floats) -> int:
    before, after = (_take_groups(v[None], GROUPS)[0].astype(np.float64) for v in (source, copy))
    if _has_few_levels(after).mean() < NEARLY_ALL or _has_few_levels(before).any():
        return 0
    found = [_place_in_cells(*group) for group in zip(before, after, strict=True)]
    places = np.concatenate(found)
    inside = places <= 1.0
    if (
        not inside.any()
        or inside.mean() < NEARLY_ALL
        or (places[inside] > OUTER).mean() < OUTER_SHARE
    ):
        return 0
    return max(len(np.unique(group)) for group in after)


def _place_in_cells(source: Floats, copy: Floats) -> Floats:
    """How far each value lies from what it was rounded to: 0 there, 1 at the end of its cell. Where
    the cell has no end, on the outer side of the outermost levels, nothing is said.
    """
    levels, place = np.unique(copy, return_inverse=True)
    middles = (levels[1:] + levels[:-1]) / 2
    ends = np.where(
        source > copy, np.append(middles, np.inf)[place], np.append(-np.inf, middles)[place]
    )
    known = np.isfinite(ends)
    placed: Floats = np.abs((source - copy)[known] / (ends - copy)[known])
    return placed


def _take_groups(values: Floats, count: int) -> Floats:
    """Up to ``count`` groups of each matrix, (k, groups, GROUP)."""
    per_row = values.shape[2] // GROUP
    total = values.shape[1] * per_row
    chosen = np.linspace(0, total - 1, min(count, total)).astype(np.int64)
    columns = (chosen % per_row * GROUP)[:, None] + np.arange(GROUP)
    groups: Floats = values[:, (chosen // per_row)[:, None], columns]
    return groups


def _has_few_levels(groups: Floats) -> NDArray[np.bool_]:
    """(k, GROUP) -> (k,)."""
    ordered = np.sort(groups, axis=1)
    distinct = 1 + (ordered[:, 1:] != ordered[:, :-1]).sum(1)
    few: NDArray[np.bool_] = (distinct > 1) & (distinct <= LEVELS)
    few &= np.count_nonzero(groups, axis=1) >= NONZERO
    return few
