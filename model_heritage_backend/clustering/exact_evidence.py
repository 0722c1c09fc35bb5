"""Stage B: what two files say about the edge between them, read once, piece by piece.

All signals are antisymmetric in (a, b): positive says that a is the parent. How they are weighed
into one number is the business of direction.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import limit_values
from model_heritage_backend.clustering.kernels import compare_rows
from model_heritage_backend.clustering.spectra import calculate_delta_rank, top_singular_vectors
from model_heritage_backend.fingerprints.structure import is_matrix
from model_heritage_backend.weights.tensors import LazyTensor

VERSION = 3
"""Part of the cache key: raise it when a figure's meaning changes."""
WINDOW_VALUES = 2_621_440
"""Largest part of one matrix that is held in memory at once."""
ENTROPY_VALUES = 65_536
FULL_RANK_SEEN = 4
"""After this many full-rank deltas no further ranks are computed: the edge is no adapter."""
TOP_DIRECTIONS = 16
STEP_GROUPS = 12
DIAGONAL_FROM = 64
"""Smaller matrices have no tail against which a diagonal excess could stand out."""

Array = NDArray[np.floating]


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
            )
        }
        plain = {**vars(self), **flipped, "larger_share": 1.0 - self.larger_share}
        return ExactEvidence(**plain)


def measure_edge(
    a: Mapping[str, LazyTensor],
    b: Mapping[str, LazyTensor],
    *,
    roundoff: float,
    looked_at: int | None = None,
) -> ExactEvidence:
    """Read two models' shared matrices once and measure all signals.

    Parameters
    ----------
    a, b : common tensor name -> lazy tensor; names in one and not in the other are passed over, as
        are shapes that differ in more than the number of rows
    roundoff : unit roundoff of the less precise of the two
    looked_at : changed matrices whose values are looked at one by one; all of them unless given.
        Norms, shares and ranks are those of all in any case

    Memory: three windows of WINDOW_VALUES values in float64.
    """
    totals = _Totals(looked_at)
    names = sorted(a.keys() & b.keys())
    if looked_at is not None:
        names.sort(key=lambda name: xxhash.xxh3_64_intdigest(name.encode()))
    for name in names:
        first, second = a[name], b[name]
        if first.shape[1:] != second.shape[1:] or min(first.size, second.size) == 0:
            continue
        if is_matrix(first.shape) and is_matrix(second.shape):
            _measure_matrix(name, first, second, roundoff, totals)
        elif first.shape == second.shape and first.dtype.is_floating:
            _measure_vector(name, first, second, roundoff, totals)
    return totals.finish()


class _Totals:
    """Sums over the changed matrices."""

    def __init__(self, looked_at: int | None) -> None:
        self.looked_at = looked_at
        self.growth = self.squares = self.delta = self.deviation = 0.0
        self.changed = self.larger = 0
        self.excesses: list[float] = []
        self.value_fit, self.row_fit = _GrowthFit(), _GrowthFit()
        self.log_ratios: list[Array] = []
        self.moves: list[Array] = []
        self.residuals: list[tuple[float, tuple[float, ...]]] = []
        self.kurtosis: list[float] = []
        self.matrices: list[MatrixChange] = []
        self.vectors = self.vectors_changed = 0
        self.full_rank = 0
        self.vector_growth: list[tuple[int, float]] = []

    def finish(self) -> ExactEvidence:
        log_ratio = spread = 0.0
        if self.moves:
            ratios, moves = np.concatenate(self.log_ratios), np.concatenate(self.moves)
            least = ratios[np.argsort(moves, kind="stable")[: max(16, len(moves) // 100)]]
            if len(least):
                log_ratio = float(np.median(least))
                spread = float(np.median(np.abs(least - log_ratio)))
        pooled = [
            _weighted_mean([(w, values[k]) for w, values in self.residuals]) for k in range(3)
        ]
        changed = sum(matrix.changed > 0 for matrix in self.matrices)
        return ExactEvidence(
            norm_growth=self.growth / self.delta if self.delta > 0 else 0.0,
            norm_z=self.growth / math.sqrt(self.deviation) if self.deviation > 0 else 0.0,
            larger_share=self.larger / self.changed if self.changed else 0.5,
            row_log_ratio=log_ratio,
            row_spread=spread,
            value_growth=self.value_fit.growth,
            row_growth=self.row_fit.growth,
            row_shrinkage=self.row_fit.shrinkage,
            diagonal_excess=sum(self.excesses) * changed / max(len(self.excesses), 1),
            entropy=pooled[0],
            skew_forward=pooled[1],
            skew_backward=pooled[2],
            kurtosis=float(np.mean(self.kurtosis)) if self.kurtosis else 0.0,
            vector_growth=_weighted_mean(self.vector_growth),
            vectors_changed=self.vectors_changed,
            vectors=self.vectors,
            relative_change=math.sqrt(self.delta / self.squares) if self.squares > 0 else 0.0,
            matrices=tuple(sorted(self.matrices, key=lambda matrix: matrix.name)),
        )


class _GrowthFit:
    """Weighted least squares of norm growth on step and size, over groups of values.

    y = growth x d - 2 shrinkage x m, where for one group of values y is the mean of b^2 - a^2, d
    that of (b - a)^2 and m that of (a^2 + b^2) / 2, all in units of the matrix's mean square. The
    variance of y under a step that ignores the weights is 4 m d / (number of values).
    """

    def __init__(self) -> None:
        self._sums = np.zeros(5)

    def add(self, squares: Array, count: int | NDArray[np.int64], variance: float) -> None:
        """Groups of ``count`` values each, with sums of squares (3, groups) of a, b and b - a."""
        if variance <= 0.0:
            return
        a, b, d = squares / count / variance
        m, y = (a + b) / 2, b - a
        typical = float((m * d).mean())
        if typical <= 0.0:
            return
        w = count / (4 * np.maximum(m * d, 0.01 * typical))
        self._sums += [float((w * t).sum()) for t in (d * d, d * m, m * m, d * y, m * y)]

    @property
    def growth(self) -> float:
        dd, dm, mm, dy, my = self._sums
        rest = dd * mm - dm * dm
        return float((mm * dy - dm * my) / rest) if rest > 1e-9 * dd * mm else 0.0

    @property
    def shrinkage(self) -> float:
        """In standard errors."""
        dd, dm, mm, dy, my = self._sums
        rest = dd * mm - dm * dm
        if rest <= 1e-9 * dd * mm:
            return 0.0
        return float((dm * dy - dd * my) / rest * math.sqrt(rest / dd))


def _add_values(x: Array, y: Array, variance: float, fit: _GrowthFit) -> None:
    """Values grouped by how far they moved."""
    if x.size < 8 * STEP_GROUPS:
        return
    step = np.abs(y - x)
    order = np.argsort(step)
    step = step[order]
    edges = step[:: max(x.size // STEP_GROUPS, 1)][:STEP_GROUPS]
    starts = np.unique(np.searchsorted(step, edges))
    values = np.stack([x[order], y[order], step])
    squares: Array = np.add.reduceat(values * values, starts, axis=1)
    fit.add(squares, np.diff(starts, append=x.size), variance)


def _measure_matrix(
    name: str, a: LazyTensor, b: LazyTensor, roundoff: float, totals: _Totals
) -> None:
    rows, columns = min(a.row_count, b.row_count), a.row_size
    squares = np.zeros((3, rows))
    changed = larger = 0
    block = max(1, WINDOW_VALUES // columns)
    window: tuple[Array, Array] | None = None
    for start in range(0, rows, block):
        stop = min(start + block, rows)
        x, y = _finite(a.read_rows(start, stop)), _finite(b.read_rows(start, stop))
        counts = compare_rows(x, y, *(part[start:stop] for part in squares))
        changed, larger = changed + counts[0], larger + counts[1]
        if window is None or start <= rows // 2 < stop:
            window = (x, y)
    sa, sb, sd = (float(part.sum()) for part in squares)
    mean_square = (sa + sb) / 2
    size = rows * columns
    cosine = (sa + sb - sd) / 2 / math.sqrt(sa * sb) if sa > 0 and sb > 0 else float(sa == sb)
    rank = None
    if changed and window is not None:
        rank = _add_signals(window, mean_square / size, roundoff, totals)
        totals.growth += sb - sa
        totals.delta += sd
        totals.squares += mean_square
        totals.deviation += 2 * mean_square / size
        totals.changed += changed
        totals.larger += larger
        totals.row_fit.add(squares, columns, mean_square / size)
        usable = (squares > 0).all(0)
        totals.log_ratios.append(0.5 * np.log(squares[1, usable] / squares[0, usable]))
        totals.moves.append(squares[2, usable] / squares[0, usable])
    totals.matrices.append(
        MatrixChange(
            name=name,
            size=size,
            changed=changed / size,
            relative_change=math.sqrt(sd / mean_square) if mean_square > 0 else 0.0,
            cosine=min(max(cosine, -1.0), 1.0),
            delta_rank=rank,
        )
    )


def _measure_vector(
    name: str, a: LazyTensor, b: LazyTensor, roundoff: float, totals: _Totals
) -> None:
    """Biases grow from 0, normalisation weights away from 1; running statistics say nothing."""
    x, y = (
        _finite(a.read_rows(0, a.row_count)).ravel(),
        _finite(b.read_rows(0, b.row_count)).ravel(),
    )
    totals.vectors += 1
    step = y - x
    if not (np.abs(step) > 2 * roundoff * np.maximum(np.abs(x), np.abs(y))).any():
        return
    totals.vectors_changed += 1
    if "running" in name:
        return
    centre = 1.0 if (x.mean() + y.mean()) / 2 > 0.5 else 0.0
    growth = float(((y - centre) ** 2).sum() - ((x - centre) ** 2).sum()) / float((step**2).sum())
    totals.vector_growth.append((x.size, float(np.clip(growth, -2, 2))))


def _add_signals(
    window: tuple[Array, Array], variance: float, roundoff: float, totals: _Totals
) -> int | None:
    """Signals of one changed matrix from the part of it held in memory; the delta's rank if low."""
    x, y = window
    delta = y - x
    if totals.looked_at is None or len(totals.excesses) < totals.looked_at:
        keep = max(1, x.size // ENTROPY_VALUES)
        _add_values(x[::keep].ravel(), y[::keep].ravel(), variance, totals.value_fit)
        residual = _residual_signals(x[::keep].ravel(), y[::keep].ravel())
        if residual is not None:
            totals.residuals.append((math.sqrt(x[::keep].size), residual[:3]))
            totals.kurtosis.append(residual[3])
        large = min(delta.shape) >= DIAGONAL_FROM
        totals.excesses.append(_diagonal_excess(x, y, delta) if large else 0.0)
    if totals.full_rank >= FULL_RANK_SEEN:
        return None
    rank = calculate_delta_rank(delta, noise=roundoff * math.sqrt(variance))
    totals.full_rank += rank is None
    return rank


def _residual_signals(x: Array, y: Array) -> tuple[float, float, float, float] | None:
    """Entropy, forward and backward skew, kurtosis sign.

    Of x and y, standardised, of their correlation rho, and of the residuals e = y - rho x and
    f = x - rho y, standardised: E x e^3 against E y f^3, E x^3 e against E y^3 f.

    Entropy: Hyvarinen's maximum-entropy approximation (1998); comparing H(y) + H(f) with
    H(x) + H(e) is the pairwise LiNGAM measure (Hyvarinen and Smith, 2013): the residual is
    independent of the parent, not of the child.
    """
    if x.size < 48:
        return None
    scaled = [_standardise(v) for v in (x, y)]
    if scaled[0] is None or scaled[1] is None:
        return None
    a, b = scaled[0], scaled[1]
    rho = (a * b).mean()
    e, f = b - rho * a, a - rho * b
    # The residual's own size, not sqrt(1 - rho^2): close versions would cancel all its digits.
    rest = math.sqrt((e * e).mean())
    if rest < 1e-7:
        return None
    values = np.stack([a, b, e / rest, f / rest])
    size, squares = np.abs(values), values * values
    even = size.mean(1) + np.log1p(np.exp(-2 * size)).mean(1) - math.log(2)
    odd = (values * np.exp(-squares / 2)).mean(1)
    entropies = 1.4189 - 79.047 * (even - 0.37457) ** 2 - 7.4129 * odd**2
    hx, hy, he, hf = (float(h) for h in entropies)
    entropy = float(np.clip((hy + hf - hx - he) * math.sqrt(x.size), -1, 1))
    noise = math.sqrt(15.0 / x.size)
    cubes = squares * values
    forward, backward = np.abs((values[:2] * cubes[2:]).mean(1))
    z = (backward - forward) / (forward + backward + noise)
    first, second = np.abs((cubes[:2] * values[2:]).mean(1))
    w = (second - first) / (first + second + noise)
    fourth = (squares[:2] * squares[:2]).mean(1)
    return entropy, float(z), float(w), float(np.sign(fourth[0] - fourth[1]))


def _standardise(values: Array) -> Array | None:
    """With mean 0 and variance 1; None where all are equal."""
    centred = values - values.mean(dtype=np.float64)
    variance = float((centred * centred).mean())
    standard: Array = centred / math.sqrt(variance) if variance > 0.0 else centred
    return standard if variance > 0.0 else None


def _diagonal_excess(x: Array, y: Array, delta: Array) -> float:
    """How much more y than x is diagonal in the leading singular directions of the delta.

    Gradients build weights up along the directions they move: the child carries more of the
    delta's own directions than the parent by chance would.
    """
    # Single precision: the projections are compared with their own spread, and it is twice as fast.
    x, y, delta = (part.astype(np.float32) for part in (x, y, delta))
    middle = (x + y) / 2
    squares = float((middle * middle).sum(dtype=np.float64))
    if squares <= 0.0:
        return 0.0
    delta = delta - np.float32((delta * middle).sum(dtype=np.float64) / squares) * middle
    left, right = top_singular_vectors(delta, TOP_DIRECTIONS)
    alpha = ((left.T @ x) * right.T).sum(1)
    beta = ((left.T @ y) * right.T).sum(1)
    expected = ((left.T @ middle) ** 2).mean(1) * ((middle @ right) ** 2).mean(0)
    expected = expected / (squares / middle.size)
    if not (expected > 0).all():
        return 0.0
    gain = np.log1p(beta**2 / 4 / expected) - np.log1p(alpha**2 / 4 / expected)
    return float(2.5 * gain.sum())


def _weighted_mean(pairs: Sequence[tuple[float, float]]) -> float:
    total = sum(weight for weight, _ in pairs)
    return sum(weight * value for weight, value in pairs) / total if total > 0 else 0.0


def _finite(values: Array) -> Array:
    """As ``limit_values``; most files hold only ordinary numbers, which a sum shows."""
    if values.dtype == np.float64:
        return limit_values(values)
    wide = values.astype(np.float64)
    return wide if np.isfinite(wide.sum()) else limit_values(values)
