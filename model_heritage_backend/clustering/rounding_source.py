"""Which member of an exact sum was computed from the others: the one that was rounded.

c = x a + y b is also a = (c - y b) / x. What is left of the sum tells the two apart: it is the
rounding error of what was computed, so its size goes up and down with the size of that one's
values and of the terms it was made of, power of two by power of two.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.span_fit import SpanFit
from model_heritage_backend.clustering.span_screen import ROUNDING

CLEAR = 30.0
"""Nats by which the errors must look more like the child's rounding than like any parent's. Of 50
task arithmetics on trained models with 13,000 and more values all led by 100 and more; those of
steps of 1 to 4 % on small-step zoos by 14 to 790."""
VALUES = 100_000
"""Looked at, spread over all matrices."""
DIGITS = {2.0**-9: 8, 2.0**-12: 11, 2.0**-24: 24}
"""Roundoff of a model -> binary digits of its values."""
COMPUTED = 24
"""Digits of what is computed on the way."""
FLOOR, TERM_FLOOR = 0.125, 0.01
"""Of the unit in the last place of an average value; smaller values and terms have no finer unit,
as other roundings stand behind them."""
LARGEST = 8.0
"""Scale of the errors, in their supposed units, at most; it is 0.2 to 0.4 of true ones."""
T_MEDIAN = 0.8165
"""Of the absolute value of Student's t with two degrees of freedom."""

Vector = NDArray[np.float64]


def is_rounded_child(family: AlignedFamily, fit: SpanFit) -> bool:
    """Whether the child, not one of the parents, is what was computed.

    A child that lies between its parents is believed. One that lies beyond them needs errors that
    are clearly its own.
    """
    if fit.lies_between:
        return True
    members = (fit.child, *fit.parents)
    likely: list[float | None] = []
    parts = list(_take_matrices(family, fit))
    for place in range(len(members)):
        ways = [
            _measure_likelihood(family, members, place, base, parts)
            for base in range(len(members))
            if base != place
        ]
        likely.append(max((way for way in ways if way is not None), default=None))
    parents = [likelihood for likelihood in likely[1:] if likelihood is not None]
    return likely[0] is not None and (not parents or likely[0] - max(parents) > CLEAR)


def _take_matrices(
    family: AlignedFamily, fit: SpanFit
) -> Iterator[tuple[str, Vector, NDArray[np.float64]]]:
    """(name, weights of child and parents that sum up to nothing, their values), where these differ
    by more than rounding.
    """
    members = (fit.child, *fit.parents)
    rounding = ROUNDING * max(float(family.roundoff[m]) for m in members) ** 2
    names = [n for n, t in sorted(family.tensors[fit.child].items()) if t.is_matrix]
    total = sum(family.get_sample(fit.child, name).size for name in names)
    step = max(total // VALUES, 1)
    for name in names:
        if fit.by_matrix and name not in fit.by_matrix:
            continue
        values = np.stack([family.get_sample(m, name).ravel()[::step] for m in members])
        spread = np.ptp(values, axis=0)
        if spread @ spread > rounding * (values[0] @ values[0]):
            yield name, np.array([-1.0, *fit.get_coefficients(name)]), values


def _measure_likelihood(
    family: AlignedFamily,
    members: tuple[int, ...],
    place: int,
    base: int,
    parts: list[tuple[str, Vector, NDArray[np.float64]]],
) -> float | None:
    """Log-likelihood (nats) of what is left as the rounding errors of one member, computed as a
    base and the others' differences from it; None where it is far more than those.

    ``place``, ``base`` : 0 is the child, then the parents
    """
    errors, units = [], []
    for name, weights, values in parts:
        # Differences first: the weights sum to about nothing.
        errors.append(weights[1:] @ (values[1:] - values[0]) + weights.sum() * values[0])
        wide = family.tensors[members[place]][name].sample.dtype == np.float64
        digits = 53 if wide else DIGITS[float(family.roundoff[members[place]])]
        own = weights[place] * _measure_units(values[place], digits, FLOOR)
        others = [j for j in range(len(members)) if j not in (place, base)]
        terms = weights[others, None] * (values[others] - values[base])
        squares = own**2 + _measure_units(terms.sum(0), COMPUTED, TERM_FLOOR) ** 2
        for term in terms:
            squares += _measure_units(term, COMPUTED, TERM_FLOOR) ** 2
        units.append(np.sqrt(squares))
    if not parts:
        return None
    error, unit = np.abs(np.concatenate(errors)), np.concatenate(units)
    scale = float(np.median(error / unit)) / T_MEDIAN
    if not 0.0 < scale < LARGEST:
        return None
    # Student's t: where terms cancel, errors are far larger than most.
    odds = 1.5 * np.log1p((error / (scale * unit)) ** 2 / 2)
    return float(-np.log(scale * unit).sum() - odds.sum())


def _measure_units(values: Vector, digits: int, floor: float) -> Vector:
    """Units in the last place, no finer than a share of that of an average value."""
    _, exponents = np.frexp(values)
    typical = np.ldexp(np.sqrt((values**2).mean()), -digits)
    units = np.where(values == 0.0, 0.0, np.ldexp(1.0, exponents - digits))
    floored: Vector = np.maximum(units, np.maximum(floor * typical, 1e-300))
    return floored
