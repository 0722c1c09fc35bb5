"""Stage B: what the files of the edges of a tree say, read once, piece by piece.

Of many pairs of small files, or of samples, matrices of one shape are measured together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.clustering.exact_evidence import ExactEvidence, MatrixChange
from model_heritage_backend.clustering.levels import GROUP, count_levels
from model_heritage_backend.clustering.paired_tensors import (
    PairedMatrices,
    Shared,
    group_by_shape,
    read_vectors,
    take_portions,
)
from model_heritage_backend.clustering.signals import (
    FIT_SUMS,
    STEP_GROUPS,
    GrowthFit,
    fit_growth,
    group_by_step,
    measure_diagonal_excess,
    measure_residuals,
)
from model_heritage_backend.clustering.spectra import calculate_delta_ranks
from model_heritage_backend.fingerprints.structure import is_matrix
from model_heritage_backend.weights.tensors import LazyTensor

ENTROPY_VALUES = 65_536
TOGETHER = 8_192
"""Values of smaller matrices whose distributions are looked at together: what is computed on the
way stays in the processor's cache, and is not given back to the system each time."""
FULL_RANK_SEEN = 4
"""After this many full-rank deltas no further ranks are computed: the edge is no adapter."""
DIAGONAL_FROM = 64
"""Smaller matrices have no tail against which a diagonal excess could stand out."""

Array = NDArray[np.floating]
Tensors = Mapping[str, LazyTensor]


def measure_edge(
    a: Tensors, b: Tensors, *, roundoff: float, looked_at: int | None = None
) -> ExactEvidence:
    """Of a single pair, as ``measure_edges`` has it."""
    return measure_edges([(a, b)], roundoffs=[roundoff], looked_at=looked_at)[0]


def measure_edges(
    pairs: Sequence[tuple[Tensors, Tensors]],
    *,
    roundoffs: Sequence[float],
    looked_at: int | None = None,
) -> list[ExactEvidence]:
    """Read the matrices that two models share once and measure all signals, for pairs of models.

    Matrices of one shape are measured together, whichever pairs they are of: of small ones, most of
    the time is spent on beginning.

    Parameters
    ----------
    pairs : common tensor name -> lazy tensor, of each of the two; names in one and not in the other
        are passed over, as are shapes that differ in more than the number of rows
    roundoffs : of each pair, unit roundoff of the less precise of the two
    looked_at : changed matrices of a pair whose values are looked at one by one; all of them unless
        given. Norms, shares and ranks are those of all in any case

    Memory: three times WINDOW_VALUES in float64.
    """
    matrices, vectors = [], []
    owners: list[int] = []
    for place, (a, b) in enumerate(pairs):
        names = sorted(a.keys() & b.keys())
        if looked_at is not None:
            names.sort(key=lambda name: xxhash.xxh3_64_intdigest(name.encode()))
        for name in names:
            first, second = a[name], b[name]
            if first.shape[1:] != second.shape[1:] or min(first.size, second.size) == 0:
                continue
            shared = Shared(len(owners), name, first, second)
            if is_matrix(first.shape) and is_matrix(second.shape):
                matrices.append(shared)
            elif first.shape == second.shape and first.dtype.is_floating:
                vectors.append(shared)
            else:
                continue
            owners.append(place)
    table = _Table(owners, roundoffs, looked_at)
    for portion in take_portions(matrices):
        table.add_matrices([PairedMatrices.read(group) for group in group_by_shape(portion)])
    for portion in take_portions(vectors):
        for group in group_by_shape(portion):
            table.add_vectors(group)
    return table.finish()


FIGURES = (
    *("growth", "delta", "squares", "deviation", "changed", "larger", "values", "rounded"),
    *("matrices", "looked", "excess"),
    *("weight", "entropy", "forward", "backward", "described", "kurtosis"),
    *("vectors", "vectors_changed", "length", "vector_growth"),
    *(f"{groups} {sums}" for groups in ("rows", "steps") for sums in FIT_SUMS),
)
"""What is summed up over the changed tensors of a pair; means are weighted sums and sums of weights
until then."""


class _Table:
    """A row of figures for each tensor that two models share; those of a pair follow one another.

    Parameters
    ----------
    owners : place of the pair that a tensor is of, by the tensor's number
    """

    def __init__(
        self, owners: Sequence[int], roundoffs: Sequence[float], looked_at: int | None
    ) -> None:
        self.owners = owners
        self.roundoffs = np.array(roundoffs, np.float64)
        self.all = looked_at is None
        self.looked_at = math.inf if looked_at is None else looked_at
        self.figures = np.zeros((len(owners), len(FIGURES)))
        pairs = range(len(roundoffs))
        self.looked = [0 for _ in pairs]
        self.full_rank = [0 for _ in pairs]
        self.levels = [0 for _ in pairs]
        self.moves: list[list[Array]] = [[np.zeros((2, 0))] for _ in pairs]
        self.matrices: list[list[MatrixChange]] = [[] for _ in pairs]

    def finish(self) -> list[ExactEvidence]:
        totals = np.zeros((len(self.roundoffs), len(FIGURES)))
        np.add.at(totals, self.owners, self.figures)
        return [
            self._finish(place, dict(zip(FIGURES, sums, strict=True)))
            for place, sums in enumerate(totals.tolist())
        ]

    def _finish(self, place: int, sums: Mapping[str, float]) -> ExactEvidence:
        rows, steps = (
            GrowthFit([sums[f"{groups} {name}"] for name in FIT_SUMS])
            for groups in ("rows", "steps")
        )
        log_ratio, spread = _find_decay(np.concatenate(self.moves[place], axis=1))
        return ExactEvidence(
            norm_growth=_divide(sums["growth"], sums["delta"]),
            norm_z=_divide(sums["growth"], math.sqrt(sums["deviation"])),
            larger_share=sums["larger"] / sums["changed"] if sums["changed"] else 0.5,
            row_log_ratio=log_ratio,
            row_spread=spread,
            value_growth=steps.growth,
            row_growth=rows.growth,
            row_shrinkage=rows.shrinkage,
            diagonal_excess=sums["excess"] * _divide(sums["matrices"], sums["looked"]),
            entropy=_divide(sums["entropy"], sums["weight"]),
            skew_forward=_divide(sums["forward"], sums["weight"]),
            skew_backward=_divide(sums["backward"], sums["weight"]),
            kurtosis=_divide(sums["kurtosis"], sums["described"]),
            vector_growth=_divide(sums["vector_growth"], sums["length"]),
            vectors_changed=int(sums["vectors_changed"]),
            vectors=int(sums["vectors"]),
            relative_change=math.sqrt(_divide(sums["delta"], sums["squares"])),
            rounded=_divide(sums["rounded"], sums["values"]),
            levels=self.levels[place],
            matrices=tuple(sorted(self.matrices[place], key=lambda matrix: matrix.name)),
        )

    def _set(self, numbers: NDArray[np.int64], **figures: NDArray[Any] | float) -> None:
        for name, values in figures.items():
            self.figures[numbers, FIGURES.index(name)] = values

    def _add_fit(self, numbers: NDArray[np.int64], groups: str, sums: Array) -> None:
        first = FIGURES.index(f"{groups} {FIT_SUMS[0]}")
        self.figures[numbers, first : first + len(FIT_SUMS)] = sums

    def add_matrices(self, stacks: Sequence[PairedMatrices]) -> None:
        changed = sorted(n for s in stacks for n in s.numbers[s.changed > 0].tolist())
        looked = set()
        for number in changed:
            owner = self.owners[number]
            if self.looked[owner] < self.looked_at:
                self.looked[owner] += 1
                looked.add(number)
        ranks = self._find_ranks(stacks, changed)
        for stack in stacks:
            places = np.flatnonzero(stack.changed > 0)
            self._add_sums(stack, places)
            if self.all:
                self._add_levels(stack, places)
            self._add_signals(stack, stack.find(looked))
            self._describe(stack, ranks)

    def _add_sums(self, stack: PairedMatrices, places: NDArray[np.int64]) -> None:
        numbers = stack.numbers[places]
        squares, mean_squares = stack.squares[:, places], stack.mean_squares[places]
        a, b, delta = squares.sum(2)
        self._set(
            numbers,
            matrices=1.0,
            growth=b - a,
            delta=delta,
            squares=(a + b) / 2,
            deviation=2 * mean_squares,
            changed=stack.changed[places],
            larger=stack.larger[places],
        )
        columns = np.full(squares.shape[1:], stack.size // squares.shape[2])
        self._add_fit(numbers, "rows", fit_growth(squares, columns, mean_squares))
        usable = np.min(squares, axis=0) > 0
        x, y, d = np.where(usable, squares, 1.0)
        moves = np.stack([d / x, 0.5 * np.log(y / x)])
        for place, number in enumerate(numbers.tolist()):
            self.moves[self.owners[number]].append(moves[:, place, usable[place]])

    def _add_levels(self, stack: PairedMatrices, places: NDArray[np.int64]) -> None:
        if stack.x.shape[2] < GROUP:
            return
        levels = count_levels(stack.x[places], stack.y[places])
        rounded = stack.size * np.sign(levels)
        self._set(stack.numbers[places], values=stack.size, rounded=rounded)
        for number, count in zip(stack.numbers[places].tolist(), levels.tolist(), strict=True):
            owner = self.owners[number]
            self.levels[owner] = max(self.levels[owner], abs(count))

    def _add_signals(self, stack: PairedMatrices, looked: NDArray[np.int64]) -> None:
        """From the values that are held in memory, a few matrices at a time."""
        self._set(stack.numbers[looked], looked=1.0)
        size = stack.x[0].size
        if min(stack.x.shape[1:]) >= DIAGONAL_FROM:
            for part in _cut(looked, ENTROPY_VALUES // size):
                excesses = measure_diagonal_excess(
                    *(values[part].astype(np.float64) for values in (stack.x, stack.y))
                )
                self._set(stack.numbers[part], excess=excesses)
        keep = max(1, size // ENTROPY_VALUES)
        for part in _cut(looked, TOGETHER // size):
            flat = (v[part, ::keep].reshape(len(part), -1) for v in (stack.x, stack.y))
            x, y = (values.astype(np.float64) for values in flat)
            numbers = stack.numbers[part]
            if x.shape[1] >= 8 * STEP_GROUPS:
                sums = fit_growth(*group_by_step(x, y), stack.mean_squares[part])
                self._add_fit(numbers, "steps", sums)
            (entropy, forward, backward, kurtosis), known = measure_residuals(x, y)
            weight = known * math.sqrt(x.shape[1])
            self._set(
                numbers,
                weight=weight,
                entropy=weight * entropy,
                forward=weight * forward,
                backward=weight * backward,
                described=known,
                kurtosis=known * kurtosis,
            )

    def _find_ranks(
        self, stacks: Sequence[PairedMatrices], changed: Sequence[int]
    ) -> dict[int, int | None]:
        """Ranks of the deltas by number, in each pair's order, until enough of them are full."""
        waiting = defaultdict(list)
        for number in reversed(changed):
            waiting[self.owners[number]].append(number)
        ranks: dict[int, int | None] = {}
        while True:
            part = {
                numbers.pop()
                for owner, numbers in waiting.items()
                for _ in range(min(FULL_RANK_SEEN - self.full_rank[owner], len(numbers)))
            }
            if not part:
                return ranks
            for stack in stacks:
                for places in _cut(stack.find(part), TOGETHER // stack.x[0].size):
                    numbers = stack.numbers[places].tolist()
                    roundoff = self.roundoffs[[self.owners[number] for number in numbers]]
                    deltas = stack.y[places].astype(np.float64) - stack.x[places]
                    noise = roundoff * np.sqrt(stack.mean_squares[places])
                    ranks |= zip(numbers, calculate_delta_ranks(deltas, noise=noise), strict=True)
            for number in part:
                self.full_rank[self.owners[number]] += ranks[number] is None

    def _describe(self, stack: PairedMatrices, ranks: Mapping[int, int | None]) -> None:
        a, b, delta = stack.squares.sum(2)
        mean = (a + b) / 2
        moves = np.sqrt(np.divide(delta, mean, out=np.zeros(len(mean)), where=mean > 0))
        norms = np.sqrt(a * b)
        cosines = np.divide(mean - delta / 2, norms, out=(a == b).astype(float), where=norms > 0)
        for number, name, changed, move, cosine in zip(
            stack.numbers.tolist(),
            stack.names,
            stack.changed.tolist(),
            moves.tolist(),
            np.clip(cosines, -1.0, 1.0).tolist(),
            strict=True,
        ):
            change = MatrixChange(
                name=name,
                size=stack.size,
                changed=changed / stack.size,
                relative_change=move,
                cosine=cosine,
                delta_rank=ranks.get(number),
            )
            self.matrices[self.owners[number]].append(change)

    def add_vectors(self, shared: Sequence[Shared]) -> None:
        """Biases grow from 0, normalisation weights away from 1; running statistics say nothing."""
        numbers = np.array([tensor.number for tensor in shared])
        roundoff = self.roundoffs[[self.owners[tensor.number] for tensor in shared]]
        x, y = read_vectors(shared)
        step = y - x
        rounding = 2 * roundoff[:, None] * np.maximum(np.abs(x), np.abs(y))
        changed = np.max(np.abs(step) - rounding, axis=1) > 0.0
        self._set(numbers, vectors=1.0, vectors_changed=changed)
        trained = changed & np.array(["running" not in tensor.name for tensor in shared])
        x, y, step = x[trained], y[trained], step[trained]
        centre = np.where((x.mean(1) + y.mean(1)) / 2 > 0.5, 1.0, 0.0)[:, None]
        growth = ((y - centre) ** 2).sum(1) - ((x - centre) ** 2).sum(1)
        growth = np.clip(growth / (step**2).sum(1), -2, 2)
        length = x.shape[1]
        self._set(numbers[trained], length=length, vector_growth=length * growth)


def _find_decay(moves: Array) -> tuple[float, float]:
    """Median and median deviation of the log ratios of the least changed rows; (2, rows)."""
    count = moves.shape[1]
    if count == 0:
        return 0.0, 0.0
    least = moves[1, np.argsort(moves[0], kind="stable")[: max(16, count // 100)]]
    log_ratio = _find_median(least)
    return log_ratio, _find_median(np.abs(least - log_ratio))


def _find_median(values: Array) -> float:
    """Of few values, for which numpy's median takes longer to begin."""
    ordered = np.sort(values)
    middle = len(ordered) // 2
    return float(ordered[middle] + ordered[-middle - 1]) / 2


def _cut(places: NDArray[np.int64], share: int) -> Iterator[NDArray[np.int64]]:
    """Parts of at most ``share`` places, of one at least."""
    for start in range(0, len(places), max(share, 1)):
        yield places[start : start + max(share, 1)]


def _divide(total: float, by: float) -> float:
    """0 where there is nothing to divide by."""
    return total / by if by > 0 else 0.0
