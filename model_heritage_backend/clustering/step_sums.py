"""The covariance of a family's steps in one matrix, carried on when a member is added.

What a step adds is rounded to whole units, so the sum does not depend on the order in which steps
were added and taken away: a family that grew has, to the last bit, the sum of one solved at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.kernels import square_deltas
from model_heritage_backend.clustering.sample_stacks import Places, SampleStack

UNIT = 2.0**-20
"""Of products over rows or columns of steps of mean square 1: far below their single precision.
Millions of steps fit into 64 bits."""
SMALLEST_RATIO = 1e-13
"""Steps of a smaller share of the weights' mean square are rounding."""

TOGETHER = 32
"""Steps whose products are in memory at once."""

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
        known = {step: before.squares[step] for step in asked if step in before.squares}
        unknown = [step for step in asked if step not in known]
        measured = square_deltas(
            stack.flat,
            stack.flat,
            *np.array([ends[s] for s in unknown], np.int64).reshape(-1, 2).T.copy(),
        )
        known |= zip(unknown, (measured / stack.values[0].size).tolist(), strict=True)
        moved = {step: n for step, n in asked.items() if known[step] > SMALLEST_RATIO * norm}
        over_rows, over_columns = before.over_rows.copy(), before.over_columns.copy()
        steps = dict.fromkeys([*moved, *before.counted])
        times = {s: n for s in steps if (n := moved.get(s, 0) - before.counted[s])}
        changes = list(times)
        for start in range(0, len(changes), TOGETHER):
            part = changes[start : start + TOGETHER]
            added = _multiply(stack, [(place[a], place[b]) for a, b in part])
            for whole, products in zip((over_rows, over_columns), added, strict=True):
                for step, product in zip(part, products, strict=True):
                    whole += times[step] * product
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


def _multiply(stack: SampleStack, steps: Sequence[tuple[int, int]]) -> tuple[Whole, Whole]:
    """What steps add to the sums, (steps, rows, rows), (steps, columns, columns).

    Their signs make no difference.
    """
    i, j = np.array(steps).T.copy()
    deltas = stack.values[j].astype(np.float64) - stack.values[i]
    size = deltas[0].size
    lengths = np.sqrt(square_deltas(stack.flat, stack.flat, i, j) / size)
    units = (deltas / lengths[:, None, None]).astype(np.float32)
    turned = units.transpose(0, 2, 1)
    first, second = (
        np.rint(product * np.float32(1 / UNIT)).astype(np.int64)
        for product in (units @ turned, turned @ units)
    )
    return first, second
