"""What two files, or what is known of them, say about the edge between them.

All signals are antisymmetric in (a, b): positive says that a is the parent. How they are measured
is the business of edge_measures.py, how they are weighed into one number that of direction.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

VERSION = 4
"""Part of the cache key: raise it when a figure's meaning changes."""


@dataclass(frozen=True, kw_only=True)
class MatrixChange:
    """One shared matrix: how much of it changed, by how much, and the delta's rank if low."""

    name: str
    size: int
    changed: float
    relative_change: float
    cosine: float
    delta_rank: int | None


@dataclass(frozen=True, kw_only=True)
class ExactEvidence:
    """Of an unordered pair of files, seen as (a, b).

    Attributes
    ----------
    norm_growth : (|b|^2 - |a|^2) / |b - a|^2: about 1 when a step ignores the weights
    norm_z : the same difference over its standard deviation if nothing but noise changed norms
    larger_share : share of changed values whose magnitude is larger in b, in [0, 1]
    row_log_ratio : median log ratio of norms (b over a) of the least changed rows
    row_spread : median absolute deviation of these log ratios
    value_growth, row_growth : norm growth within groups of values of like step / within rows, after
        a common factor of shrinkage or growth has been fitted as well; 1 when a step ignores the
        weights, whatever decay did to all of them
    row_shrinkage : that common factor of the rows over its standard error: positive when b is
        smaller
    diagonal_excess : nats by which b is aligned with the top directions of the delta more than a
    entropy, skew_forward, skew_backward : non-Gaussian asymmetries of the residuals, in [-1, 1]
    kurtosis : share of matrices with larger kurtosis in a, minus the share with larger in b
    vector_growth : norm growth of changed biases and of normalisation weights around 1, in [-2, 2]
    vectors_changed, vectors : other shared tensors (biases, normalisation) that differ by more than
        rounding / in all
    relative_change : |b - a| / mean norm over changed shared matrices
    rounded : share of the changed values that lie in matrices of b which were rounded from a's to
        few levels in each group, minus the share of a's from b's; 0 from samples, whose values are
        no neighbours
    levels : the most in a group of such a matrix, 2 to 16; 0 where there is none
    matrices : every shared matrix
    """

    norm_growth: float
    norm_z: float
    larger_share: float
    row_log_ratio: float
    row_spread: float
    value_growth: float
    row_growth: float
    row_shrinkage: float
    diagonal_excess: float
    entropy: float
    skew_forward: float
    skew_backward: float
    kurtosis: float
    vector_growth: float
    relative_change: float
    vectors_changed: int
    vectors: int
    rounded: float = 0.0
    levels: int = 0
    matrices: tuple[MatrixChange, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        plain = asdict(self)
        plain["matrices"] = [asdict(matrix) for matrix in self.matrices]
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> ExactEvidence:
        matrices = tuple(MatrixChange(**matrix) for matrix in plain["matrices"])
        return cls(**{**plain, "matrices": matrices})

    def rename(self, names: Mapping[str, str]) -> ExactEvidence:
        """The same evidence with matrices under other names."""
        renamed = tuple(replace(m, name=names.get(m.name, m.name)) for m in self.matrices)
        return replace(self, matrices=renamed)

    def reversed(self) -> ExactEvidence:
        """The same pair seen as (b, a)."""
        flipped = {
            name: -getattr(self, name)
            for name in (
                "norm_growth",
                "norm_z",
                "row_log_ratio",
                "value_growth",
                "row_growth",
                "row_shrinkage",
                "diagonal_excess",
                "entropy",
                "skew_forward",
                "skew_backward",
                "kurtosis",
                "vector_growth",
                "rounded",
            )
        }
        plain = {**vars(self), **flipped, "larger_share": 1.0 - self.larger_share}
        return ExactEvidence(**plain)
