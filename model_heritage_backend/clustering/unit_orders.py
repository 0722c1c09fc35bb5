"""The whole order of a model's units, from all of its values beside those of a relative.

Samples show that two models are related (symmetry.py); they hold too few units of a larger matrix
to put it in order. Here every value of both is at hand. Sides of matrices that are in one order
(the units of a layer: its rows, the columns of the next) find it together, by optimal assignment.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import Samples, limit_values
from model_heritage_backend.clustering.arrangement import Arrangement, TensorOrder
from model_heritage_backend.clustering.assignment import assign
from model_heritage_backend.clustering.scales import find_scales
from model_heritage_backend.clustering.symmetry import (
    SETTLED_ABOVE,
    Key,
    Sides,
    Symmetry,
    find_symmetry,
)
from model_heritage_backend.clustering.units import (
    NARROW,
    SPLIT_FROM,
    Floats,
    Places,
    match_units,
    normalise_rows,
    standardise_columns,
)
from model_heritage_backend.fingerprints import TensorFingerprint
from model_heritage_backend.fingerprints.structure import is_matrix
from model_heritage_backend.weights.tensors import DType, LazyTensor

ROUNDS = 4
"""Of assignment and of choosing orders for sides; two nearly always suffice."""
BETTER_BY, CLEARLY = 0.02, 4.0
"""Correlation, and standard deviations, by which another known order must fit a side better than
the one it has."""
ALIKE = {True: 0.5, False: 0.999}
"""Correlation, of matrices and of vectors, that needs no closer look when names are told."""
COMPARED = 128
"""Components at most by which units are compared for that."""
NEW_BY = 0.05
"""Mean cosine, on values that were not matched on, by which an order of its own must."""


@dataclass(frozen=True)
class _Pair:
    """One tensor in both models, all values as (first dimension, rest).

    ``shape``: of the tensor. ``axes``: lengths of the two sides and of what one unit has there.
    """

    name: str
    shape: tuple[int, ...]
    first: Samples
    second: Samples

    @property
    def is_wide(self) -> bool:
        return is_matrix(self.shape) and min(self.first.shape) > NARROW

    @cached_property
    def natural(self) -> tuple[int, int]:
        """Units of either side where no known order says otherwise: a kernel's places are one."""
        inner = len(self.shape) == 1 or (len(self.shape) > 2 and self.shape[0] == 1)
        return self.first.shape[0], self.first.shape[1] if inner else self.shape[1]


class UnitOrders:
    """Orders of the second model's units, and which sides of which tensors are in them."""

    def __init__(self, pairs: Mapping[str, _Pair], found: Symmetry) -> None:
        self._pairs = pairs
        self.orders = {key: np.array(order) for key, order in found.orders.items()}
        self.sides: dict[str, Sides] = {name: found.sides.get(name, (None, None)) for name in pairs}
        self._settled = dict.fromkeys(sorted(found.sides))

    def solve(self) -> None:
        for _ in range(ROUNDS):
            before = dict(self.sides), {key: order.copy() for key, order in self.orders.items()}
            self._complete_orders()
            for name in sorted(self._pairs, key=lambda n: (-self._pairs[n].first.size, n)):
                self._choose_sides(name)
                if self._pairs[name].is_wide:
                    self._find_own_orders(name)
            same = self.orders.keys() == before[1].keys() and all(
                np.array_equal(order, before[1][key]) for key, order in self.orders.items()
            )
            if same and self.sides == before[0]:
                break
        self._complete_orders()

    def arrange(self, name: str) -> tuple[Places | None, Places | None]:
        """Places of the second model's rows and columns of a tensor that come to each place."""
        rows, columns = self.sides[name]
        pair = self._pairs[name]
        return self._expand(pair, 0, rows), self._expand(pair, 1, columns)

    def take(self, name: str) -> Samples:
        """The second model's values of a tensor in the first's order."""
        rows, columns = self.arrange(name)
        values = self._pairs[name].second
        values = values if rows is None else values[rows]
        return values if columns is None else values[:, columns]

    def _expand(self, pair: _Pair, axis: int, key: Key | None) -> Places | None:
        """Places along a side, of an order of units that have several places each."""
        if key is None:
            return None
        length = pair.first.shape[axis]
        order, each = self.orders[key], length // key[0]
        places: Places = order[:, None] * each + np.arange(each)
        if _is_inner(pair, axis):
            places = np.arange(each)[:, None] * key[0] + order
        return places.ravel()

    # Orders ------------------------------------------------------------------------------------

    def _complete_orders(self) -> None:
        """Every order from all the sides that are in it, until none changes."""
        for _ in range(ROUNDS):
            changed = False
            for key in sorted(self.orders):
                likeness = sum(self._measure_sides(key), np.zeros((key[0], key[0])))
                if not likeness.any():
                    order = _fill(self.orders[key])
                else:
                    order = assign(likeness, maximize=True)[1]
                changed |= not np.array_equal(order, self.orders[key])
                self.orders[key] = order
            if not changed:
                break

    def _measure_sides(self, key: Key) -> Iterator[NDArray[np.float64]]:
        for name, sides in self.sides.items():
            pair = self._pairs[name]
            if not pair.is_wide:
                continue
            for axis in (0, 1):
                if sides[axis] == key and sides[1 - axis] != key:
                    x, y = self._view_units(pair, axis, key[0], sides[1 - axis])
                    # In standard deviations: cosines of long vectors are the surer.
                    yield np.sqrt(x.shape[1]) * (_direct(x) @ _direct(y).T)

    def _view_units(
        self, pair: _Pair, axis: int, size: int, known: Key | None
    ) -> tuple[Floats, Floats]:
        """Units of one side as rows, of both models, the other side in order as far as is known."""
        x, y = (v if axis == 0 else v.T for v in (pair.first, pair.second))
        if known is not None:
            order = self.orders[known]
            usable = np.flatnonzero(order >= 0)
            each = x.shape[1] // known[0]
            i = (usable[:, None] * each + np.arange(each)).ravel()
            j = (order[usable][:, None] * each + np.arange(each)).ravel()
            x, y = x[:, i], y[:, j]
        return x.reshape(size, -1), y.reshape(size, -1)

    # Sides -------------------------------------------------------------------------------------

    def _list_keys(self, pair: _Pair, axis: int) -> list[Key | None]:
        length = pair.first.shape[axis]
        return [None, *(key for key in sorted(self.orders) if length % key[0] == 0 and length > 1)]

    def _choose_sides(self, name: str) -> None:
        """The known orders in which a tensor agrees best with the first model's."""
        pair = self._pairs[name]
        keys = [self._list_keys(pair, axis) for axis in (0, 1)]
        if len(keys[0]) + len(keys[1]) == 2:
            return
        best = first = self.sides[name] if name in self._settled else self._guess_sides(pair)
        score = self._score(name, best)
        needed = max(BETTER_BY, CLEARLY / math.sqrt(pair.first.size))
        trials: list[Sides]
        if name in self._settled:
            trials = [(key, best[1]) for key in keys[0]] + [(best[0], key) for key in keys[1]]
        else:
            trials = [(row, column) for row in keys[0] for column in keys[1]]
        for sides in trials:
            trial = self._score(name, sides)
            if trial > score + (needed if best == first else 0.0):
                best, score = sides, trial
        self.sides[name] = best

    def _guess_sides(self, pair: _Pair) -> Sides:
        """Orders in which most matrices have sides of these lengths: where values say nothing, as
        of a head that was made anew.
        """
        found: list[Key | None] = []
        for axis in (0, 1):
            length = pair.first.shape[axis]
            keys = Counter(
                self.sides[name][axis]
                for name in self._settled
                if self._pairs[name].first.shape[axis] == length
            )
            found.append(keys.most_common(1)[0][0] if keys else None)
        return found[0], found[1]

    def _score(self, name: str, sides: Sides) -> float:
        return self._correlate(self._pairs[name], sides)

    def _correlate(self, pair: _Pair, sides: Sides) -> float:
        rows, columns = (self._expand(pair, axis, sides[axis]) for axis in (0, 1))
        y = pair.second if rows is None else pair.second[rows]
        return _correlate(pair.first, y if columns is None else y[:, columns])

    def agrees(self, name: str) -> bool:
        return self._score(name, self.sides[name]) > ALIKE[self._pairs[name].is_wide]

    def measure_likeness(self, known: str, other: str) -> float:
        """How well a tensor of the first model agrees with the supposed counterpart of another, in
        the best of all known orders or with an order of its own on one side.
        """
        pair = replace(self._pairs[known], second=self._pairs[other].second)
        keys = [self._list_keys(pair, axis) for axis in (0, 1)]
        best = max(self._correlate(pair, (row, column)) for row in keys[0] for column in keys[1])
        if not pair.is_wide or best > ALIKE[True]:
            return best
        for axis in (0, 1):
            for key in keys[1 - axis]:
                x, y = self._view_units(pair, axis, pair.natural[axis], key)
                if x.shape[1] >= SPLIT_FROM:
                    best = max(best, match_units(x[:, :COMPARED], y[:, :COMPARED]).correlation)
        return best

    def _find_own_orders(self, name: str) -> None:
        """Whether a side of a matrix is in an order that no other has brought to light."""
        pair = self._pairs[name]
        for axis, size in enumerate(pair.natural):
            if size <= NARROW:
                continue
            x, y = self._view_units(pair, axis, size, self.sides[name][1 - axis])
            key = self.sides[name][axis]
            now = y
            if key is not None:
                if size % key[0]:
                    continue
                each = size // key[0]
                now = y[(self.orders[key][:, None] * each + np.arange(each)).ravel()]
            match = match_units(x, y)
            fits = float((_direct(x) * _direct(now)).sum(1).mean())
            if match.z < SETTLED_ABOVE or match.correlation < fits + NEW_BY:
                continue
            likeness = _direct(x) @ _direct(y).T
            order = assign(likeness, maximize=True)[1]
            number = sum(known[0] == size for known in self.orders)
            self.orders[size, number] = order
            sides = list(self.sides[name])
            sides[axis] = size, number
            self.sides[name] = sides[0], sides[1]
            self._settled[name] = None


def find_arrangement(
    first: Mapping[str, LazyTensor],
    second: Mapping[str, LazyTensor],
    names: Mapping[str, str],
    *,
    guessed: bool,
) -> Arrangement:
    """How the second model is brought into the order and scale of the first.

    Parameters
    ----------
    first, second : relatives, by canonical names; all of their values are read and held
    names : name in the second -> name in the first; tensors without one stay as they are
    guessed : whether names may be wrong: tensors of one shape then change them where their values
        say so
    """
    x, y = _read(first, names.values()), _read(second, names)
    names = {
        n: k for n, k in names.items() if n in y and k in x and first[k].shape == second[n].shape
    }
    for _ in range(ROUNDS):
        pairs = {k: _Pair(k, first[k].shape, x[k], y[n]) for n, k in sorted(names.items())}
        found = _find_orders(pairs)
        better = _rename(found, pairs, names) if guessed else names
        if better == names:
            break
        names = better
    scales = find_scales(
        {n: (p.first, found.take(n)) for n, p in pairs.items()},
        {n: p.natural[1] for n, p in pairs.items()},
    )
    tensors = {}
    used = set(names.values())
    for name in second:
        if name in names:
            known = names[name]
            rows, columns = found.arrange(known)
            tensors[name] = TensorOrder(known, rows, columns, *scales.get(known, (None, None)))
        else:
            tensors[name] = TensorOrder(f"{name} (other)" if name in used else name)
    return Arrangement(tensors)


def _read(tensors: Mapping[str, LazyTensor], names: Iterable[str]) -> dict[str, Samples]:
    """Values of the floating point tensors among those named, as (first dimension, rest)."""
    return {
        name: limit_values(tensors[name].read_rows(0, tensors[name].row_count))
        for name in names
        if name in tensors and tensors[name].size > 1 and tensors[name].dtype.is_floating
    }


def _find_orders(pairs: Mapping[str, _Pair]) -> UnitOrders:
    first = {name: _describe(pair, pair.first) for name, pair in pairs.items()}
    second = {name: _describe(pair, pair.second) for name, pair in pairs.items()}
    found = UnitOrders(pairs, find_symmetry(first, second))
    found.solve()
    return found


def _rename(
    found: UnitOrders, pairs: Mapping[str, _Pair], names: Mapping[str, str]
) -> dict[str, str]:
    """Names by values, now that most units are in order: one to one among tensors of one shape."""
    groups = defaultdict(list)
    for name, known in sorted(names.items()):
        groups[pairs[known].shape].append((name, known))
    better = dict(names)
    for group in groups.values():
        # What agrees already keeps its name.
        open_ = [pair for pair in group if not found.agrees(pair[1])]
        if len(open_) < 2:
            continue
        likeness = np.array(
            [[found.measure_likeness(known, other) for _, known in open_] for _, other in open_]
        )
        likeness += 1e-6 * np.eye(len(open_))
        rows, columns = assign(likeness, maximize=True)
        better |= {open_[i][0]: open_[j][1] for i, j in zip(rows, columns, strict=True)}
    return better


def _describe(pair: _Pair, values: Floats) -> TensorFingerprint:
    """A tensor whose sample is all of it."""
    rows, columns = (np.arange(length) for length in values.shape)
    return TensorFingerprint(
        name=pair.name,
        shape=pair.shape,
        dtype=DType.F64,
        byte_digest=None,
        value_digest=None,
        moments=None,
        rows=rows,
        columns=columns,
        sample=values,
        wide=np.zeros((0, 0)),
        cells=np.zeros((2, 0, 0), np.float32),
        row_absmax=np.zeros(0),
        row_norms=(values * values).sum(1) if len(pair.shape) > 1 else np.zeros(0),
        grid_bits=0,
        grid_per_row=False,
    )


def _is_inner(pair: _Pair, axis: int) -> bool:
    """Whether units are the last of several dimensions: (1, places, units)."""
    return axis == 1 and len(pair.shape) > 2 and pair.shape[0] == 1


def _direct(values: Floats) -> NDArray[np.float64]:
    return normalise_rows(standardise_columns(values))


def _correlate(x: Floats, y: Floats) -> float:
    """Centred: weights of normalisations are all near 1."""
    x, y = x - x.mean(), y - y.mean()
    squares = np.sqrt(float((x * x).sum()) * float((y * y).sum()))
    return float((x * y).sum()) / squares if squares > 0.0 else 0.0


def _fill(order: Places) -> Places:
    """Units without a counterpart in the places that are left, each where it is if it can be."""
    filled = order.copy()
    free = np.setdiff1d(np.arange(len(order)), order)
    empty = np.flatnonzero(order < 0)
    kept = np.intersect1d(free, empty)
    filled[kept] = kept
    filled[np.setdiff1d(empty, kept)] = np.setdiff1d(free, kept)
    return filled
