"""Stage B: what two files say about the edge between them, read once, piece by piece.

All signals are antisymmetric in (a, b): positive says that a is the parent. How they are weighed
into one number is the business of direction.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.clustering.levels import GROUP, count_levels
from model_heritage_backend.clustering.paired_tensors import (
    PairedMatrices,
    Shared,
    group_by_shape,
    read_vectors,
    take_portions,
)
from model_heritage_backend.clustering.signals import (
    STEP_GROUPS,
    GrowthFit,
    group_by_step,
    measure_diagonal_excess,
    measure_residuals,
)
from model_heritage_backend.clustering.spectra import calculate_delta_ranks
from model_heritage_backend.fingerprints.structure import is_matrix
from model_heritage_backend.weights.tensors import LazyTensor

VERSION = 4
"""Part of the cache key: raise it when a figure's meaning changes."""
ENTROPY_VALUES = 65_536
TOGETHER = 8_192
"""Values of smaller matrices whose distributions are looked at together: what is computed on the
way stays in the processor's cache, and is not given back to the system each time."""
FULL_RANK_SEEN = 4
"""After this many full-rank deltas no further ranks are computed: the edge is no adapter."""
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

    Memory: three times WINDOW_VALUES in float64.
    """
    names = sorted(a.keys() & b.keys())
    if looked_at is not None:
        names.sort(key=lambda name: xxhash.xxh3_64_intdigest(name.encode()))
    matrices, vectors = [], []
    for number, name in enumerate(names):
        first, second = a[name], b[name]
        if first.shape[1:] != second.shape[1:] or min(first.size, second.size) == 0:
            continue
        if is_matrix(first.shape) and is_matrix(second.shape):
            matrices.append(Shared(number, name, first, second))
        elif first.shape == second.shape and first.dtype.is_floating:
            vectors.append(Shared(number, name, first, second))
    totals = _Totals(roundoff, looked_at)
    for portion in take_portions(matrices):
        totals.add_matrices([PairedMatrices.read(group) for group in group_by_shape(portion)])
    for portion in take_portions(vectors):
        for group in group_by_shape(portion):
            totals.add_vectors(group)
    return totals.finish()


class _Totals:
    """Sums over the changed tensors."""

    def __init__(self, roundoff: float, looked_at: int | None) -> None:
        self.roundoff = roundoff
        self.looked_at = math.inf if looked_at is None else looked_at
        self.looked = 0
        self.growth = self.squares = self.delta = self.deviation = 0.0
        self.changed = self.larger = 0
        self.excess = 0.0
        self.value_fit, self.row_fit = GrowthFit(), GrowthFit()
        self.log_ratios: list[Array] = []
        self.moves: list[Array] = []
        self.residuals: list[tuple[float, Array]] = []
        self.matrices: list[MatrixChange] = []
        self.vectors = self.vectors_changed = 0
        self.full_rank = 0
        self.vector_growth: list[tuple[float, float]] = []
        self.values = self.rounded = self.levels = 0

    def finish(self) -> ExactEvidence:
        log_ratio = spread = 0.0
        if self.moves:
            ratios, moves = np.concatenate(self.log_ratios), np.concatenate(self.moves)
            least = ratios[np.argsort(moves, kind="stable")[: max(16, len(moves) // 100)]]
            if len(least):
                log_ratio = float(np.median(least))
                spread = float(np.median(np.abs(least - log_ratio)))
        entropy, forward, backward = (
            _pool([(weight, float(values[k])) for weight, values in self.residuals])
            for k in range(3)
        )
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
            diagonal_excess=self.excess * changed / max(self.looked, 1),
            entropy=entropy,
            skew_forward=forward,
            skew_backward=backward,
            kurtosis=_pool([(1.0, float(values[3])) for _, values in self.residuals]),
            vector_growth=_pool(self.vector_growth),
            vectors_changed=self.vectors_changed,
            vectors=self.vectors,
            relative_change=math.sqrt(self.delta / self.squares) if self.squares > 0 else 0.0,
            rounded=self.rounded / self.values if self.values else 0.0,
            levels=self.levels,
            matrices=tuple(sorted(self.matrices, key=lambda matrix: matrix.name)),
        )

    def add_matrices(self, stacks: Sequence[PairedMatrices]) -> None:
        changed = sorted(int(n) for s in stacks for n in s.numbers[s.changed > 0])
        looked = changed[: int(min(self.looked_at - self.looked, len(changed)))]
        self.looked += len(looked)
        ranks = self._find_ranks(stacks, changed)
        for stack in stacks:
            self._add_sums(stack, stack.find(changed))
            if self.looked_at == math.inf:
                self._add_levels(stack, stack.find(changed))
            self._add_signals(stack, stack.find(looked))
            self._describe(stack, ranks)

    def _add_sums(self, stack: PairedMatrices, changed: NDArray[np.int64]) -> None:
        squares, mean_squares = stack.squares[:, changed], stack.mean_squares[changed]
        a, b, delta = squares.sum((1, 2))
        self.growth += float(b - a)
        self.delta += float(delta)
        self.squares += float(a + b) / 2
        self.deviation += 2 * float(mean_squares.sum())
        self.changed += int(stack.changed[changed].sum())
        self.larger += int(stack.larger[changed].sum())
        columns = np.full(squares.shape[1:], stack.size // squares.shape[2])
        self.row_fit.add(squares, columns, mean_squares)
        x, y, d = squares[:, (squares > 0).all(0)]
        self.log_ratios.append(0.5 * np.log(y / x))
        self.moves.append(d / x)

    def _add_levels(self, stack: PairedMatrices, changed: NDArray[np.int64]) -> None:
        if stack.x.shape[2] < GROUP:
            return
        levels = count_levels(stack.x[changed], stack.y[changed])
        self.values += stack.size * len(changed)
        self.rounded += stack.size * int(np.sign(levels).sum())
        self.levels = max(self.levels, int(np.abs(levels).max(initial=0)))

    def _add_signals(self, stack: PairedMatrices, looked: NDArray[np.int64]) -> None:
        """From the values that are held in memory, a few matrices at a time."""
        size = stack.x[0].size
        if min(stack.x.shape[1:]) >= DIAGONAL_FROM:
            for part in _divide(looked, ENTROPY_VALUES // size):
                excesses = measure_diagonal_excess(
                    *(values[part].astype(np.float64) for values in (stack.x, stack.y))
                )
                self.excess += float(excesses.sum())
        keep = max(1, size // ENTROPY_VALUES)
        for part in _divide(looked, TOGETHER // size):
            flat = (v[part, ::keep].reshape(len(part), -1) for v in (stack.x, stack.y))
            x, y = (values.astype(np.float64) for values in flat)
            if x.shape[1] >= 8 * STEP_GROUPS:
                self.value_fit.add(*group_by_step(x, y), stack.mean_squares[part])
            residuals, known = measure_residuals(x, y)
            weight = math.sqrt(x.shape[1])
            self.residuals += [(weight, values) for values in residuals.T[known]]

    def _find_ranks(
        self, stacks: Sequence[PairedMatrices], changed: Sequence[int]
    ) -> dict[int, int | None]:
        """Ranks of the deltas by number, in order, until enough of them are full."""
        ranks: dict[int, int | None] = {}
        while len(ranks) < len(changed) and self.full_rank < FULL_RANK_SEEN:
            part = changed[len(ranks) :][: FULL_RANK_SEEN - self.full_rank]
            for stack in stacks:
                places = stack.find(part)
                if len(places):
                    noise = self.roundoff * np.sqrt(stack.mean_squares[places])
                    deltas = stack.y[places].astype(np.float64) - stack.x[places]
                    found = calculate_delta_ranks(deltas, noise=noise)
                    ranks |= zip(stack.numbers[places].tolist(), found, strict=True)
                    self.full_rank += found.count(None)
        return ranks

    def _describe(self, stack: PairedMatrices, ranks: Mapping[int, int | None]) -> None:
        a, b, delta = stack.squares.sum(2)
        mean = (a + b) / 2
        moves = np.sqrt(np.divide(delta, mean, out=np.zeros(len(mean)), where=mean > 0))
        norms = np.sqrt(a * b)
        cosines = np.divide(mean - delta / 2, norms, out=(a == b).astype(float), where=norms > 0)
        self.matrices += [
            MatrixChange(
                name=name,
                size=stack.size,
                changed=changed / stack.size,
                relative_change=move,
                cosine=cosine,
                delta_rank=ranks.get(number),
            )
            for number, name, changed, move, cosine in zip(
                stack.numbers.tolist(),
                stack.names,
                stack.changed.tolist(),
                moves.tolist(),
                np.clip(cosines, -1.0, 1.0).tolist(),
                strict=True,
            )
        ]

    def add_vectors(self, shared: Sequence[Shared]) -> None:
        """Biases grow from 0, normalisation weights away from 1; running statistics say nothing."""
        x, y = read_vectors(shared)
        step = y - x
        rounding = 2 * self.roundoff * np.maximum(np.abs(x), np.abs(y))
        changed = (np.abs(step) > rounding).any(1)
        self.vectors += len(shared)
        self.vectors_changed += int(changed.sum())
        trained = changed & np.array(["running" not in tensor.name for tensor in shared])
        x, y, step = x[trained], y[trained], step[trained]
        centre = np.where((x.mean(1) + y.mean(1)) / 2 > 0.5, 1.0, 0.0)[:, None]
        growth = ((y - centre) ** 2).sum(1) - ((x - centre) ** 2).sum(1)
        growth = np.clip(growth / (step**2).sum(1), -2, 2)
        self.vector_growth += [(float(x.shape[1]), value) for value in growth.tolist()]


def _divide(places: NDArray[np.int64], share: int) -> Iterator[NDArray[np.int64]]:
    """Parts of at most ``share`` places, of one at least."""
    for start in range(0, len(places), max(share, 1)):
        yield places[start : start + max(share, 1)]


def _pool(pairs: Sequence[tuple[float, float]]) -> float:
    """Weighted mean; 0 of nothing."""
    total = sum(weight for weight, _ in pairs)
    return sum(weight * value for weight, value in pairs) / total if total > 0 else 0.0
