"""One member as a weighted sum of others, value by value on the samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.span_screen import RELATIVE, ROUNDING

SMALLEST_SHARE = 0.02
"""A parent with less of a coefficient, either way, is none."""
FEW_VALUES = 16
"""A matrix with coefficients of its own has more sampled values than so many per parent."""
DEPENDENT = 10.0
"""Parents that are sums of each other have no coefficients: their least spread, squared, is within
so many times what rounding may leave."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class SpanFit:
    """``child`` = sum of coefficients x parents, up to rounding.

    Attributes
    ----------
    coefficients : (parents,), of the whole model; means where matrices have their own
    by_matrix : matrix -> (parents,), where each has coefficients of its own; else empty. Matrices
        in which the parents do not differ are not in it
    error : squared distance from the sum, relative to the child's squared norm
    residual : the same, relative to the nearest parent's squared distance
    """

    child: int
    parents: tuple[int, ...]
    coefficients: Vector
    by_matrix: Mapping[str, Vector] = field(default_factory=dict)
    error: float
    residual: float

    @property
    def lies_between(self) -> bool:
        """Whether no coefficient is negative: the child is what its parents surround."""
        own = [float(c.min()) > -SMALLEST_SHARE for c in self.by_matrix.values()]
        return bool((self.coefficients > 0).all()) and all(own)

    def get_coefficients(self, name: str) -> Vector:
        return self.by_matrix.get(name, self.coefficients)


def fit_span(family: AlignedFamily, child: int, parents: Sequence[int]) -> SpanFit | None:
    """The simplest sum of the parents that the child is, or None.

    In this order: coefficients that sum to 1 and are the same everywhere; that sum to 1 in each
    matrix; of two parents, any that are the same everywhere; any in each matrix.
    """
    names = sorted(name for name, tensor in family.tensors[child].items() if tensor.is_matrix)
    values = {
        name: np.stack([family.get_sample(m, name).ravel() for m in (child, *parents)])
        for name in names
    }
    rounding = ROUNDING * float(family.roundoff[child]) ** 2
    whole = {"": np.concatenate(list(values.values()), axis=1)}
    nearest = _measure_nearest(whole[""])
    squares = float((whole[""][0] ** 2).sum())
    if nearest <= 0.0:
        return None
    for parts, spanning in ((whole, False), (values, False), (whole, True), (values, True)):
        if spanning and len(parents) > 2:
            continue
        # The terms of the sum are rounded, too, and may be larger than it.
        allowed = {n: rounding * float((part**2).sum(1).max()) for n, part in parts.items()}
        solved = {
            name: _solve(part, spanning=spanning, noise=allowed[name])
            for name, part in parts.items()
        }
        left = {name: error for name, (_, error) in solved.items()}
        error = sum(left.values())
        if error > RELATIVE * nearest or any(left[n] > allowed[n] for n in parts):
            continue
        by_matrix = {name: c for name, (c, _) in solved.items() if c is not None}
        weights = [_measure_nearest(parts[name]) for name in by_matrix]
        if not by_matrix or sum(weights) <= 0.0:
            continue
        mean = np.average(list(by_matrix.values()), axis=0, weights=weights)
        if _is_mixed(list(by_matrix.values())):
            return SpanFit(
                child=child,
                parents=tuple(parents),
                coefficients=mean,
                by_matrix={} if parts is whole else by_matrix,
                error=error / squares,
                residual=error / nearest,
            )
    return None


def _solve(values: Vector, *, spanning: bool, noise: float) -> tuple[Vector | None, float]:
    """(coefficients of the rows after the first, squared distance of the first from the sum).

    Without coefficients where the rows do not settle them. ``noise`` : squared error of rounding.
    """
    child, parents = values[0], values[1:]
    columns, target = parents[1:] - parents[0], child - parents[0]
    if spanning:
        columns = np.vstack([columns, parents[0]])
    scale = np.sqrt((columns**2).sum(1))
    if values.shape[1] <= FEW_VALUES * len(parents) or not scale.all():
        return None, float(_solve_least(columns, target)[1])
    normal = columns / scale[:, None]
    solution, left = _solve_least(normal, target)
    smallest = float(np.linalg.eigvalsh(normal @ normal.T)[0]) * float(scale.min()) ** 2
    if solution is None or smallest <= DEPENDENT * noise:
        return None, left
    solution = solution / scale
    others = solution[: len(parents) - 1]
    beyond = solution[-1] if spanning else 0.0
    return np.array([1.0 - others.sum() + beyond, *others]), left


def _solve_least(columns: Vector, target: Vector) -> tuple[Vector | None, float]:
    """Least squares on rows, None where they are dependent; and what is left."""
    solution, _, rank, _ = np.linalg.lstsq(columns @ columns.T, columns @ target, rcond=1e-11)
    left = float(((target - solution @ columns) ** 2).sum())
    return (solution.astype(np.float64) if rank == len(columns) else None), left


def _measure_nearest(values: Vector) -> float:
    """Squared distance of the first row to the nearest other."""
    return float(((values[1:] - values[0]) ** 2).sum(1).min())


def _is_mixed(coefficients: Sequence[Vector]) -> bool:
    """Whether every parent has part in the child, and most matrices are of more than one.

    A model whose body and head come from two others may be the parent of both.
    """
    parts = np.abs(np.array(coefficients)) >= SMALLEST_SHARE
    return bool((parts.mean(0) >= 0.5).all() and ((parts.sum(1) > 1).mean() >= 0.5))
