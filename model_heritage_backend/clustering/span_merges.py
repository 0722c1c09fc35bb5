"""Merges that are weighted sums of members: linear, SLERP and task arithmetic.

A screen over all members at once tells who is a sum of others at all; where nobody is, nothing
more is looked at. Sums are then tried in order of their number of parents on the screen's Gram
matrices, and what fits is checked value by value.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.memory import Memory
from model_heritage_backend.clustering.merges import Merge
from model_heritage_backend.clustering.rounding_source import is_rounded_child
from model_heritage_backend.clustering.span_fit import SpanFit, fit_span
from model_heritage_backend.clustering.span_recipes import describe_fit
from model_heritage_backend.clustering.span_screen import RELATIVE, SpanScreen, name_contents

POOL = 24
"""Members that are tried as parents of one child, the nearest ones."""
SETS = 12_000
"""Sets of parents that are tried per child and size."""
FREE_PARENTS = 3
"""Up to so many parents every matrix may have coefficients of its own."""
MOST_PARENTS = 5
EQUAL_ERROR = 1.02
"""Ratio of squared errors that says nothing: sums over ten thousand values vary so much."""
TWINS_TRIED = 64
FITS_TRIED = 12
"""Sets of parents per child and size that are checked value by value."""


def find_span_merges(
    family: AlignedFamily,
    candidates: Sequence[int],
    *,
    copies: Collection[int],
    known: Memory[SpanFit | None] | None = None,
) -> dict[int, Merge]:
    """Merges among candidates that have all matrices in common, by child.

    Parameters
    ----------
    candidates : one of each group of duplicates
    copies : members whose parent is proven already; they may still be parents
    known : sums that were tried before, read and added to
    """
    remembered = Memory() if known is None else known

    def fit(child: int, parents: Sequence[int]) -> SpanFit | None:
        names = family.name_members(child, *parents)
        found = remembered.recall(names, lambda: fit_span(family, child, parents))
        return found and replace(found, child=child, parents=tuple(parents))

    twins = _group_twins(family, candidates)
    members = sorted(twins)
    screen = SpanScreen.measure(family, members) if len(members) > 2 else None
    if screen is None:
        return {}
    fits: dict[int, list[SpanFit]] = {}
    everyone = list(range(len(members)))
    for size in range(2, MOST_PARENTS + 1):
        free = [p for p in everyone if members[p] not in fits]
        children, pool = screen.find_dependent(free)
        children = [c for c in children if members[c] not in copies]
        if not children:
            break
        pool += [p for p in everyone if members[p] in fits]
        for child in children:
            sets, between = _rank_sets(screen, child, _list_nearest(screen, child, pool), size)
            tried = (
                fit(members[child], [members[p] for p in places])
                for places in (between if size == 2 else sets)
            )
            ranked = _sort_fits(family, [found for found in tried if found is not None])
            # Of two parents, both have to be about the child; the best sum of more has to be what
            # was computed.
            ranked = [found for found in ranked if size > 2 or found.lies_between]
            if ranked and is_rounded_child(family, ranked[0]):
                fits[members[child]] = ranked
    chosen = _part_mutual(fits)
    merges = [describe_fit(family, _choose_twins(family, f, twins, copies)) for f in chosen]
    return {merge.child: merge for merge in merges}


def _group_twins(family: AlignedFamily, members: Iterable[int]) -> dict[int, list[int]]:
    """Members with equal matrices, by the first of them; their biases and the like may differ."""
    contents = family.describe(name_contents)
    groups: dict[tuple[tuple[str, str | bytes], ...], list[int]] = {}
    for member in sorted(members):
        groups.setdefault(tuple(contents[member].items()), []).append(member)
    return {group[0]: group for group in groups.values()}


def _list_nearest(screen: SpanScreen, child: int, pool: Sequence[int]) -> list[int]:
    totals = screen.grams.sum(0)
    squares = np.diagonal(totals)
    distances = squares[child] + squares - 2 * totals[child]
    return sorted((p for p in pool if p != child), key=lambda p: (distances[p], p))[:POOL]


def _rank_sets(
    screen: SpanScreen, child: int, pool: Sequence[int], size: int
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Sets of parents that the child may be a sum of, best first, FITS_TRIED at most; and those of
    them that it lies between.
    """
    while math.comb(len(pool), size) > SETS:
        pool = pool[:-1]
    sets = np.array(list(itertools.combinations(pool, size)), dtype=np.intp)
    if not len(sets):
        return [], []
    free = size <= FREE_PARENTS
    grams, noise = screen.grams, screen.noise[:, child]
    told = screen.alone[:, child]
    grams, noise = grams[told], noise[told]
    if not free:
        grams, noise = grams.sum(0, keepdims=True), noise.sum(keepdims=True)
    left, nearest, least = solve_sets(grams, child, sets, spanning=size == 2)
    allowed = noise[:, None] + 1e-12 * nearest
    share = left.sum(0) / np.maximum(nearest.sum(0), 1e-300)
    fits = (left <= allowed).all(0) & (share <= RELATIVE)
    order = np.flatnonzero(fits)
    order = order[np.lexsort((*sets[order].T[::-1], share[order]))]
    between = order[least[:, order].mean(0) > 0]
    first, second = (sets[places[:FITS_TRIED]].tolist() for places in (order, between))
    return [tuple(parents) for parents in first], [tuple(parents) for parents in second]


def solve_sets(
    grams: NDArray[np.float64], child: int, sets: NDArray[np.intp], *, spanning: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Least squares of one member on many sets of others, from Gram matrices alone.

    Parameters
    ----------
    grams : (matrices, n + 1, n + 1) as in ``SpanScreen``
    sets : (sets, size)
    spanning : coefficients need not sum to 1

    Returns
    -------
    Squared distances that are left, those to the nearest of the set, and the smallest coefficients,
    all (matrices, sets).
    """
    first, rest = sets[:, 0], sets[:, 1:]
    start = grams[:, first, first]
    columns = grams[:, rest[:, :, None], rest[:, None, :]]
    beside = grams[:, rest, first[:, None]]
    matrix = columns - beside[..., :, None] - beside[..., None, :] + start[..., None, None]
    right = grams[:, rest, child] - beside - (grams[:, first, child] - start)[..., None]
    total = grams[:, child, child][:, None] - 2 * grams[:, first, child] + start
    if spanning:
        # The first parent itself besides the differences from it.
        centre = grams.shape[1] - 1
        whole = start + 2 * grams[:, first, centre] + grams[:, centre, centre][:, None]
        cross = beside + grams[:, rest, centre] - (start + grams[:, first, centre])[..., None]
        target = grams[:, first, child] + grams[:, child, centre][:, None]
        target = target - start - grams[:, first, centre]
        matrix = np.concatenate(
            [
                np.concatenate([matrix, cross[..., None]], -1),
                np.concatenate([cross, whole[..., None]], -1)[..., None, :],
            ],
            -2,
        )
        right = np.concatenate([right, target[..., None]], -1)
    scale = np.sqrt(np.maximum(np.diagonal(matrix, axis1=-2, axis2=-1), 1e-300))
    normal = matrix / (scale[..., :, None] * scale[..., None, :]) + 1e-13 * np.eye(scale.shape[-1])
    scaled = right / scale
    solution = np.linalg.solve(normal, scaled[..., None])[..., 0]
    left = np.maximum(total - (scaled * solution).sum(-1), 0.0)
    squares = np.diagonal(grams, axis1=1, axis2=2)
    distances = squares[:, sets] - 2 * grams[:, child][:, sets]
    nearest = (distances + grams[:, child, child][:, None, None]).min(-1)
    solution = solution / scale
    shares = solution[..., : rest.shape[1]]
    first_share = 1.0 - shares.sum(-1) + (solution[..., -1] if spanning else 0.0)
    return left, nearest, np.minimum(shares.min(-1), first_share)


def _sort_fits(family: AlignedFamily, fits: Sequence[SpanFit]) -> list[SpanFit]:
    """Best first: coefficients that are the same everywhere before those that are not, then the
    least error, and of those that fit the matrices equally well, the one that fits the vectors.
    """
    if not fits:
        return []
    ranked = sorted(fits, key=lambda fit: (bool(fit.by_matrix), fit.error))
    if ranked[0].by_matrix:
        return ranked
    limit = EQUAL_ERROR * ranked[0].error
    equal = [fit for fit in ranked if fit.error <= limit and not fit.by_matrix]
    if len(equal) > 1:
        equal = sorted(equal, key=lambda fit: _measure_vectors(family, fit))
    return equal + [fit for fit in ranked if fit not in equal]


def _part_mutual(fits: Mapping[int, Sequence[SpanFit]]) -> list[SpanFit]:
    """The best fit of each, but no two merges that are each other's parents.

    What lies between its parents stands against what lies beyond them. A merge of a merge lies on
    one line with all of their parents: the later one holds the rounding
    errors of the earlier one besides its own, and lies further from what they have in common.
    """
    found = {child: choices[0] for child, choices in fits.items()}
    for a, b in itertools.combinations(sorted(found), 2):
        if (
            a not in found
            or b not in found
            or b not in found[a].parents
            or a not in found[b].parents
        ):
            continue
        if found[a].lies_between != found[b].lies_between:
            del found[a if found[b].lies_between else b]
            continue
        without = {
            child: next((fit for fit in fits[child] if other not in fit.parents), None)
            for child, other in ((a, b), (b, a))
        }
        known = {child: fit for child, fit in without.items() if fit is not None}
        if known:
            earlier = min(known, key=lambda m: (known[m].error, m))
            found[earlier] = known[earlier]
    return [found[child] for child in sorted(found)]


def _choose_twins(
    family: AlignedFamily,
    fit: SpanFit,
    twins: Mapping[int, Sequence[int]],
    copies: Collection[int],
) -> SpanFit:
    """Members with equal matrices fit equally well: biases and the like decide between them."""
    choices = [[m for m in twins[fit.child] if m not in copies], *(twins[p] for p in fit.parents)]
    if all(len(choice) == 1 for choice in choices):
        return fit
    placed = (
        replace(fit, child=child, parents=tuple(parents))
        for child, *parents in itertools.islice(itertools.product(*choices), TWINS_TRIED)
    )
    return min(placed, key=lambda placed: _measure_vectors(family, placed))


def _measure_vectors(family: AlignedFamily, fit: SpanFit) -> float:
    """Squared distance of the child's vectors (biases, normalisation) from the sum."""
    shared = [
        {s.name: s for s in family.shared_vectors(fit.child, parent)} for parent in fit.parents
    ]
    error = 0.0
    for name in set.intersection(*(set(vectors) for vectors in shared)):
        parents = np.stack([vectors[name].second for vectors in shared])
        mixed = np.tensordot(fit.coefficients, parents, 1)
        error += float(((shared[0][name].first - mixed) ** 2).sum())
    return error
