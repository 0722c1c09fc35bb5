"""The covariance of a family's steps in one matrix, carried on when a member is added.

What a step adds is rounded to whole units, so the sum does not depend on the order in which steps
were added and taken away: a family that grew has, to the last bit, the sum of one solved at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.sample_stacks import Places, SampleStack

UNIT = 2.0**-20
"""Of products over rows or columns of steps of mean square 1: far below their single precision.
Millions of steps fit into 64 bits."""
SMALLEST_RATIO = 1e-13
"""Steps of a smaller share of the weights' mean square are rounding."""

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Step = tuple[int, int]
"""The digests of the two samples."""


@dataclass(frozen=True)
class StepSums:
    """Of steps that each count the same, whatever their length.

    Attributes
    ----------
    over_rows, over_columns : sums of d d' and of d' d over steps d of mean square 1, in UNIT
    squares : mean square of every step that was looked at
    counted : how often each of them is in the sums
    """

    over_rows: Whole
    over_columns: Whole
    squares: Mapping[Step, float]
    counted: Counter[Step]

    @classmethod
    def measure(
        cls, stack: SampleStack, pairs: Places, norm: float, before: StepSums | None
    ) -> StepSums:
        """Of the steps between pairs of places in the stack, (m, 2).

        Parameters
        ----------
        norm : mean square of the weights
        before : sums of the same matrix, of many of the same steps
        """
        ends = {(stack.contents[i], stack.contents[j]): (int(i), int(j)) for i, j in pairs}
        asked = Counter((stack.contents[i], stack.contents[j]) for i, j in pairs)
        if before is None or not before._can_go_on(stack, asked):
            rows, columns = stack.values.shape[1:]
            empty = np.zeros((rows, rows), np.int64), np.zeros((columns, columns), np.int64)
            before = cls(*empty, {}, Counter())
        place = {content: number for number, content in enumerate(stack.contents)}
        squares = {step: before.squares.get(step) for step in asked}
        known = {
            step: _measure_square(stack, *ends[step]) if square is None else square
            for step, square in squares.items()
        }
        moved = {step: n for step, n in asked.items() if known[step] > SMALLEST_RATIO * norm}
        over_rows, over_columns = before.over_rows.copy(), before.over_columns.copy()
        for step in dict.fromkeys([*moved, *before.counted]):
            times = moved.get(step, 0) - before.counted[step]
            if times:
                added = _multiply(stack, place[step[0]], place[step[1]])
                over_rows += times * added[0]
                over_columns += times * added[1]
        return cls(over_rows, over_columns, known, Counter(moved))

    @property
    def count(self) -> int:
        return self.counted.total()

    @property
    def size(self) -> int:
        """Numbers in memory."""
        return self.over_rows.size + self.over_columns.size

    def get_covariances(self) -> tuple[Array, Array]:
        """Mean over steps, and over columns or rows: (rows, rows), (columns, columns)."""
        rows, columns = len(self.over_rows), len(self.over_columns)
        unit = UNIT / self.count
        return (
            self.over_rows.astype(np.float64) * (unit / columns),
            self.over_columns.astype(np.float64) * (unit / rows),
        )

    def _can_go_on(self, stack: SampleStack, asked: Counter[Step]) -> bool:
        """Whether the samples of what must be taken away are here, and it is less than all."""
        gone, new = self.counted - asked, asked - self.counted
        here = set(stack.contents)
        return all(here.issuperset(step) for step in gone) and (
            gone.total() + new.total() < asked.total()
        )


def _measure_square(stack: SampleStack, i: int, j: int) -> float:
    delta = stack.samples[j] - stack.samples[i]
    return float(np.einsum("rc,rc->", delta, delta)) / int(delta.size)


def _multiply(stack: SampleStack, i: int, j: int) -> tuple[Whole, Whole]:
    """What a step adds to the sums. Its sign makes no difference."""
    delta = stack.samples[j] - stack.samples[i]
    unit = (delta / np.sqrt((delta * delta).sum() / delta.size)).astype(np.float32)
    first, second = (
        np.rint(product * np.float32(1 / UNIT)).astype(np.int64)
        for product in (unit @ unit.T, unit.T @ unit)
    )
    return first, second
