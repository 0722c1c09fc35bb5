"""TIES and DARE: merges that take every value's difference from a base from some of the models.

Of such a child, each value minus the base's is one of few numbers: nothing, or what a set of the
models gives, by one rule for all values. The base shows as values that are exactly equal to the
child's all over the matrices; a model as one ratio, child's difference to model's, that many values
have in common. The merge is believed when one rule gives nearly every value to within rounding,
and by far more of them than chance would.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, limit_values
from model_heritage_backend.clustering.kernels import count_equal
from model_heritage_backend.clustering.merges import Merge, MergeMethod
from model_heritage_backend.clustering.per_model import PerTensors
from model_heritage_backend.fingerprints import Fingerprint, TensorFingerprint

VALUES = 24_000
"""Looked at in all, but at least LEAST of every matrix."""
LEAST = 256
NEAREST = 24
"""Members that are tried as base or as models, nearest first."""
EQUAL_SHARE = (0.01, 0.995)
"""Share of values equal to the base's in a matrix that was merged."""
SCREENED = 5
"""One value in so many tells whether a member may be the base."""
FINEST = 2.0**-24
"""Roundoff of a child that can be looked into: of bf16 and fp16 too little of the steps is left."""
BASES = 2
"""Tried, those with most values in common."""
MATRICES_MERGED = 0.6
ROUNDING = 8.0
"""Units of roundoff by which a value may miss what the rule gives."""
PRECISE = 100.0
"""Ratios are taken of differences that are so many times as large as the rounding."""
RATIOS = (0.02, 60.0)
BINS_PER_E = 500
PEAK = 6.0
"""Times its surroundings, at least, that a ratio many values have in common is as frequent."""
OWN_SHARE = 0.004
"""Share of values that are one model's alone, at least."""
MOST_MODELS = 4
EQUAL_FACTORS = 1e-3
EXPLAINED = 0.98
BY_CHANCE = 0.3
"""Share of values other than the base's that the rule may give when models are shuffled."""
TRIMMED, RANDOM = 0.8, 0.65
"""Probability that a value kept is larger than one dropped, at least of trimmed models and at most
of random choices. (Seen from the child, the base is a child as well; but with small values kept.)
"""

FEW_DROPPED = 0.02
"""For one value that is kept: nothing was trimmed."""

Vector = NDArray[np.float64]
TakeValues = Callable[
    [Fingerprint, Mapping[str, TensorFingerprint]],
    tuple[NDArray[np.floating], NDArray[np.int64]],
]


def find_masked_merges(
    family: AlignedFamily, members: Sequence[int], *, children: Collection[int]
) -> dict[int, Merge]:
    """Merges among members that have all matrices in common, by child.

    Parameters
    ----------
    members : one of each group of duplicates
    children : members that may be merges
    """
    if len(members) < 4:
        return {}
    few, places = _collect_values(family, members, _take_few)
    squares = (few**2).sum(1)
    order = np.argsort(squares[:, None] + squares - 2 * few @ few.T, axis=1, kind="stable")
    bases = {}
    for child, member in enumerate(members):
        if member in children and family.roundoff[member] <= FINEST:
            near = [int(m) for m in order[child] if m != child][:NEAREST]
            bases[child] = _list_bases(few, places, child, near)
    if not any(bases.values()):
        return {}
    values, matrix = _collect_values(family, members, _take_many)
    found: dict[int, Merge] = {}
    for child, base in ((child, base) for child, near in bases.items() for base in near):
        others = [int(m) for m in order[base] if m not in (child, base)][:NEAREST]
        merge = _solve(_Puzzle.pose(values, child, base), values, matrix, others, members)
        known = found.get(members[child])
        if merge is not None and (known is None or merge.residual < known.residual):
            found[members[child]] = merge
    return found


def _collect_values(
    family: AlignedFamily, members: Sequence[int], take: TakeValues
) -> tuple[Vector, NDArray[np.int64]]:
    """Some values of every matrix, (members, values), and the number of the matrix of each."""
    taken = [take(family.fingerprints[m], family.tensors[m]) for m in members]
    return limit_values(np.stack([values for values, _ in taken])), taken[0][1]


def _take_values(
    tensors: Mapping[str, TensorFingerprint], total: int, least: int
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Of a model: ``total`` values in all, but at least ``least`` of each matrix."""
    names = sorted(name for name, tensor in tensors.items() if tensor.is_matrix)
    each = max(total // max(len(names), 1), least)
    columns, places = [], []
    for number, name in enumerate(names):
        sample = tensors[name].sample.ravel()
        chosen = _spread(sample.size, min(each, sample.size))
        columns.append(sample[chosen])
        places.append(np.full(len(chosen), number))
    return np.concatenate(columns), np.concatenate(places)


@cache
def _spread(size: int, count: int) -> NDArray[np.int64]:
    """Places of so many values, spread evenly, and not down one column."""
    return np.linspace(0, size - 1, count).astype(np.int64)


@PerTensors
def _take_few(
    tensors: Mapping[str, TensorFingerprint],
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    return _take_values(tensors, VALUES // SCREENED, LEAST // SCREENED)


def _take_many(
    _fingerprint: Fingerprint, tensors: Mapping[str, TensorFingerprint]
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    return _take_values(tensors, VALUES, LEAST)


def _list_bases(
    values: Vector,
    matrix: NDArray[np.int64],
    child: int,
    near: Sequence[int],
) -> list[int]:
    """Members whose values the child has, here and there in most of the matrices, best first."""
    sizes = np.bincount(matrix)
    places = np.array(near, np.int64)
    share = count_equal(values, child, places, sizes.cumsum(), 2 * FINEST) / sizes
    changed = share < 1
    mixed = changed & (share > EQUAL_SHARE[0]) & (share < EQUAL_SHARE[1])
    passed = changed.any(1) & (mixed.sum(1) >= MATRICES_MERGED * changed.sum(1))
    shares = {base: s for base, s, p in zip(near, share.mean(1), passed, strict=True) if p}
    return sorted(shares, key=lambda base: (-shares[base], base))[:BASES]


@dataclass(frozen=True)
class _Puzzle:
    """Child minus base, and what rounding may do to each value."""

    child: int
    base: int
    moved: Vector
    rounding: Vector

    @classmethod
    def pose(cls, values: Vector, child: int, base: int) -> _Puzzle:
        size = np.maximum(np.abs(values[child]), np.abs(values[base]))
        return cls(child, base, values[child] - values[base], ROUNDING * FINEST * size + 1e-300)


def _solve(
    puzzle: _Puzzle,
    values: Vector,
    matrix: NDArray[np.int64],
    others: Sequence[int],
    members: Sequence[int],
) -> Merge | None:
    deltas = {m: values[m] - values[puzzle.base] for m in others}
    solution = _reduce(puzzle, deltas, _find_models(puzzle, deltas))
    if solution is None or _explain_shuffled(puzzle, solution) > BY_CHANCE:
        return None
    kept = _list_subsets(len(solution.models))[solution.subset].T > 0
    clear = np.abs(solution.delta) > PRECISE * puzzle.rounding
    if not all(_is_spread(k[c], matrix[c]) for k, c in zip(kept, clear, strict=True)):
        return None
    return _describe(puzzle, solution, kept, clear, members)


@dataclass(frozen=True)
class _Solution:
    """``delta``: (models, values), the models' differences from the base. ``subset``: which set of
    models gives each value, as a row of ``_list_subsets``.
    """

    models: tuple[int, ...]
    delta: Vector
    factors: Vector
    averaged: bool
    explained: float
    subset: NDArray[np.int64]


def _reduce(
    puzzle: _Puzzle, deltas: Mapping[int, Vector], models: Mapping[int, float]
) -> _Solution | None:
    """As few of the models, two at least, as give nearly every value by one rule."""
    solution = _fit_rule(puzzle, deltas, models) if len(models) > 1 else None
    if solution is None or solution.explained < EXPLAINED:
        return None
    while len(solution.models) > 2:
        smaller = [
            _fit_rule(puzzle, deltas, {m: f for m, f in models.items() if m != dropped})
            for dropped in solution.models
        ]
        best = max(smaller, key=lambda s: s.explained)
        if best.explained < EXPLAINED:
            break
        solution = best
        models = {m: models[m] for m in best.models}
    return solution


def _fit_rule(
    puzzle: _Puzzle, deltas: Mapping[int, Vector], models: Mapping[int, float]
) -> _Solution:
    """The better of the two rules: sums of differences (DARE), or means of them (TIES)."""
    chosen = tuple(sorted(models))
    delta = np.stack([deltas[m] for m in chosen])
    factors = np.array([models[m] for m in chosen])
    rules = [(False, _sum_up(delta, factors))]
    if np.ptp(factors) <= EQUAL_FACTORS * factors.max():
        rules.append((True, _average(delta, float(factors.mean()))))
    moved = np.abs(puzzle.moved) > puzzle.rounding
    solutions = []
    for averaged, rule in rules:
        hit, subset = _explain(puzzle, rule)
        # Of what moved, too: many values are the base's.
        explained = min(float(hit.mean()), float(hit[moved].mean()))
        solutions.append(_Solution(chosen, delta, factors, averaged, explained, subset))
    return max(solutions, key=lambda s: s.explained)


def _explain_shuffled(puzzle: _Puzzle, solution: _Solution) -> float:
    """Share of the values that moved that the rule gives when models are shuffled."""
    delta = np.random.default_rng(0).permuted(solution.delta, axis=1)
    if solution.averaged:
        rule = _average(delta, float(solution.factors.mean()))
    else:
        rule = _sum_up(delta, solution.factors)
    hit, _ = _explain(puzzle, rule)
    return float(hit[np.abs(puzzle.moved) > puzzle.rounding].mean())


def _is_spread(kept: NDArray[np.bool_], matrix: NDArray[np.int64]) -> bool:
    """Whether values are kept here and there in most matrices, not all or none of a matrix."""
    if not len(kept):
        return False
    sizes = np.bincount(matrix)
    share = np.bincount(matrix, kept)[sizes > 0] / sizes[sizes > 0]
    return bool(((share > EQUAL_SHARE[0]) & (share < EQUAL_SHARE[1])).mean() >= MATRICES_MERGED)


def _find_models(puzzle: _Puzzle, deltas: Mapping[int, Vector]) -> dict[int, float]:
    """Members that alone give many of the values, times one factor each."""
    open_ = np.abs(puzzle.moved) > puzzle.rounding
    found: dict[int, float] = {}
    total = len(open_)
    while len(found) < MOST_MODELS:
        best: tuple[int, int, float] | None = None
        for model, delta in deltas.items():
            if model in found:
                continue
            factor = _find_ratio(puzzle, delta, open_)
            if factor is None:
                continue
            hit = np.abs(puzzle.moved - factor * delta) <= _allow(puzzle, factor * delta)
            count = int((hit & open_).sum())
            if count >= OWN_SHARE * total and (best is None or count > best[0]):
                best = (count, model, factor)
        if best is None:
            break
        _, model, factor = best
        found[model] = factor
        given = factor * deltas[model]
        open_ &= np.abs(puzzle.moved - given) > _allow(puzzle, given)
    return found


def _allow(puzzle: _Puzzle, given: Vector) -> Vector:
    return puzzle.rounding + 2.0**-21 * np.abs(given)


def _find_ratio(puzzle: _Puzzle, delta: Vector, open_: NDArray[np.bool_]) -> float | None:
    """The factor that many of the open values have in common, if there is one."""
    precise = open_ & (np.abs(delta) > PRECISE * puzzle.rounding)
    if precise.sum() < 50:
        return None
    ratio = puzzle.moved[precise] / delta[precise]
    ratio = ratio[(ratio > RATIOS[0]) & (ratio < RATIOS[1])]
    logs = np.floor(np.log(ratio / RATIOS[0]) * BINS_PER_E).astype(np.int64)
    bins = int(np.log(RATIOS[1] / RATIOS[0]) * BINS_PER_E) + 2
    counts = np.bincount(logs, minlength=bins).astype(np.float64)
    pairs = counts[:-1] + counts[1:]
    peak = int(np.argmax(pairs))
    around = np.r_[pairs[max(peak - 40, 0) : max(peak - 3, 0)], pairs[peak + 4 : peak + 41]]
    if pairs[peak] < 20 + PEAK * (around.mean() if len(around) else 0.0):
        return None
    inside = (logs == peak) | (logs == peak + 1)
    factor = float(np.median(ratio[inside]))
    for _ in range(3):
        near = precise & (np.abs(puzzle.moved - factor * delta) <= _allow(puzzle, factor * delta))
        if near.sum() < 20:
            return None
        factor = float(puzzle.moved[near] @ delta[near] / (delta[near] @ delta[near]))
    return factor


def _list_subsets(count: int) -> NDArray[np.float64]:
    """(2^count, count), the empty set first."""
    return np.array(sorted(itertools.product((0.0, 1.0), repeat=count), key=sum))


def _sum_up(delta: Vector, factors: Vector) -> Vector:
    """(subsets, values): the models' differences, each times its factor."""
    result: Vector = _list_subsets(len(delta)) @ (factors[:, None] * delta)
    return result


def _average(delta: Vector, factor: float) -> Vector:
    """(subsets, values): the mean difference of the models in the set, times the factor."""
    subsets = _list_subsets(len(delta))
    result: Vector = factor * subsets @ delta / np.maximum(subsets.sum(1), 1)[:, None]
    return result


def _explain(puzzle: _Puzzle, rule: Vector) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """(whether the rule gives a value, which subset gives it or comes nearest)."""
    missed = np.abs(rule - puzzle.moved)
    return missed.min(0) <= _allow(puzzle, np.abs(rule).max(0)), missed.argmin(0)


def _describe(
    puzzle: _Puzzle,
    solution: _Solution,
    kept: NDArray[np.bool_],
    clear: NDArray[np.bool_],
    members: Sequence[int],
) -> Merge | None:
    """TIES keeps the largest differences, DARE any; None where it is neither."""
    delta, factors = solution.delta, solution.factors
    models, base = [members[m] for m in solution.models], members[puzzle.base]
    # What did not agree with the sign elected is no sign of trimming.
    agreed = (delta * puzzle.moved > 0) | (np.abs(puzzle.moved) <= puzzle.rounding)
    sides = [
        (np.abs(d[c & k]), np.abs(d[c & a & ~k]))
        for d, c, k, a in zip(delta, clear, kept, agreed, strict=True)
    ]
    larger = [_compare_sizes(*side) for side in sides]
    trimmed = min(larger) >= TRIMMED
    if not trimmed and (solution.averaged or max(larger) > RANDOM):
        return None
    if trimmed:
        smallest = [np.quantile(one, 0.01) for one, _ in sides]
        shares = [(np.abs(d) >= least).mean() for d, least in zip(delta, smallest, strict=True)]
        return Merge(
            child=members[puzzle.child],
            parents=(*models, base),
            coefficients=(None,) * (len(models) + 1),
            method=MergeMethod.TIES,
            residual=1 - solution.explained,
            base=base,
            parameters={
                "density": float(np.mean(shares)),
                "lambda": float(factors.mean()) if solution.averaged else 1.0,
                "normalize": float(solution.averaged),
            },
            weights=(*(1.0 if solution.averaged else float(f) for f in factors), 0.0),
        )
    density = float(np.mean([k[c].mean() for k, c in zip(kept, clear, strict=True)]))
    shares = [float(f) * density for f in factors]
    return Merge(
        child=members[puzzle.child],
        parents=(*models, base),
        coefficients=(*shares, 1 - sum(shares)),
        method=MergeMethod.DARE,
        residual=1 - solution.explained,
        base=base,
        parameters={"density": density},
    )


def _compare_sizes(kept: Vector, dropped: Vector) -> float:
    """Probability that a value kept is larger than one that was dropped."""
    if not len(kept) or len(dropped) < FEW_DROPPED * len(kept):
        return 1.0
    return float(np.searchsorted(np.sort(dropped), kept).mean() / len(dropped))
