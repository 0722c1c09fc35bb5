"""Is one model another with its units permuted and scaled? Alignment as proof.

Nothing is known of the network's graph. Each matrix is tried with one side in an order that is
already known (as it stands, or one found in another matrix of that length) and the other side to be
matched; every order found may settle further matrices. Only what agrees on values that nothing was
matched on counts, so strangers stay strangers however many orders are tried.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from model_heritage_backend.clustering.units import (
    NARROW,
    SPLIT_FROM,
    Block,
    Floats,
    Places,
    UnitMatch,
    collect_traits,
    match_units,
    standardise_columns,
    take_blocks,
)
from model_heritage_backend.fingerprints import TensorFingerprint

SETTLED_ABOVE = 8.0
"""z from which a matrix is settled, either as it stands or with an order of its units."""
CLEAR, BETTER_BY = 0.5, 0.1
"""Correlation from which a settled matrix is not looked at again, and by how much another order
must fit one below better: one found from few traits may be right for some of its units only."""
Z_ABOVE, Z_ABOVE_ALONE = 14.0, 18.0
"""Of all settled matrices pooled, where these are several, or one alone. Of 100,800 pairs of
strangers none had more than 11.2 beyond the limit of correlation."""
CORRELATION_ABOVE = 0.18
FEWEST_TRAITS = 8
FEWEST_COMPONENTS = 6
SAME_ORDER = 0.6
"""Orders of one length that agree on this share of the units they both know are one order."""
STANDS_STILL = 0.5
"""Units that are mostly their own counterparts were not permuted."""
MOST_ORDERS = 24

Tensors = Mapping[str, TensorFingerprint]
Key = tuple[int, int]
"""Of an order: number of units, number among the orders of so many."""
Sides = tuple[Key | None, Key | None]


@dataclass(frozen=True)
class Symmetry:
    """How two models agree once their units are in order.

    Attributes
    ----------
    z : standard normal between strangers, of the settled matrices pooled
    correlation : mean over the values of all shared matrices; 0 for those not settled
    settled : names of the matrices that were settled
    shared : number of matrices of equal shape
    orders : key -> the second model's unit that stands for each of the first's, -1 where unknown
    sides : of each settled matrix, the keys of the orders of its rows and columns; None where they
        stand as they are
    """

    z: float
    correlation: float
    settled: tuple[str, ...]
    shared: int
    orders: Mapping[Key, Places]
    sides: Mapping[str, Sides]

    @property
    def related(self) -> bool:
        limit = Z_ABOVE if len(self.settled) > 1 else Z_ABOVE_ALONE
        return self.z > limit and self.correlation > CORRELATION_ABOVE


def find_symmetry(first: Tensors, second: Tensors) -> Symmetry:
    """Look for orders of the second model's units in which it resembles the first.

    Both are under common names; matrices of different shapes do not take part.
    """
    return _Search(first, second).run()


@dataclass
class _Search:
    first: Tensors
    second: Tensors
    orders: dict[int, list[Places]] = field(default_factory=dict)
    settled: dict[str, tuple[float, float, int]] = field(default_factory=dict)
    sides: dict[str, Sides] = field(default_factory=dict)
    sources: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))
    tried: set[tuple[str, object, Key | None, int]] = field(default_factory=set)

    def run(self) -> Symmetry:
        self.blocks = {
            name: take_blocks(tensor, self.second[name])
            for name, tensor in self.first.items()
            if tensor.is_matrix and _fits(tensor, self.second.get(name))
        }
        for name, (a, b) in self.blocks.items():
            if min(a.shape) <= NARROW:
                continue
            z, correlation = _correlate(a.values, b.values)
            if z > SETTLED_ABOVE:
                self._settle(name, (z, correlation, a.values.size), (None, None))
        for size in sorted({a.shape[0] for a, _ in self.blocks.values()}):
            self._match_traits(size)
        while self._settle_more():
            pass
        return self._sum_up()

    def _match_traits(self, size: int) -> None:
        a, b = (collect_traits(tensors, size) for tensors in (self.first, self.second))
        labels = [label for label in a if label in b]
        if len(labels) < FEWEST_TRAITS:
            return
        x, y = (np.stack([traits[label] for label in labels], 1) for traits in (a, b))
        # Traits that agree as they stand belong to units that were not permuted.
        moved = (standardise_columns(x) * standardise_columns(y)).mean(0) < STANDS_STILL
        if moved.sum() >= FEWEST_TRAITS:
            places = np.arange(size), np.flatnonzero(moved)
            block = Block((size, len(labels)), x[:, moved], places)
            self._add_order(block, match_units(x[:, moved], y[:, moved]))

    def _settle_more(self) -> bool:
        """One round over the matrices not settled yet; whether it brought anything."""
        found: dict[str, tuple[UnitMatch, Block, int, bool, Key | None]] = {}
        guesses: list[tuple[UnitMatch, Block]] = []
        progress = False
        for name, pair in self.blocks.items():
            narrow = min(pair[0].shape) <= NARROW
            if not narrow and not self._is_clear(name):
                progress |= self._settle_in_known_orders(name)
            if self._is_clear(name):
                continue
            for turned in (False, True):
                a, b = (block.turn() for block in pair) if turned else pair
                for key, size, order in self._list_orders(a.shape[1]):
                    if (narrow and order is not None) or self._is_source(name, key):
                        continue
                    if not self._is_new(name, turned, key, order):
                        continue
                    i, j = find_counterparts(a.places[1], a.shape[1], size, order)
                    if len(i) < (FEWEST_COMPONENTS if order is None else SPLIT_FROM):
                        continue
                    match = match_units(a.values[:, i], b.values[:, j])
                    if narrow or len(i) < SPLIT_FROM:
                        guesses.append((match, a))
                    elif self._is_better(name, match.z, match.correlation) and (
                        name not in found or match.z > found[name][0].z
                    ):
                        found[name] = match, a, len(i) * len(a.values) // 2, turned, key
        best = sorted(found.items(), key=lambda f: -f[1][0].z)
        for name, (match, block, count, turned, key) in best:
            own = self._add_order(block, match)
            if own is not None:
                self.sources[own] |= {name} | (self.sources[key] if key else set())
            sides = (key, own) if turned else (own, key)
            self._settle(name, (match.z, match.correlation, count), sides)
        before = sum(map(len, self.orders.values()))
        if not found:
            for match, block in guesses:
                self._add_order(block, match)
        return progress or bool(found) or sum(map(len, self.orders.values())) > before

    def _is_clear(self, name: str) -> bool:
        return name in self.settled and self.settled[name][1] > CLEAR

    def _is_better(self, name: str, z: float, correlation: float) -> bool:
        known = self.settled.get(name)
        return z > SETTLED_ABOVE and (known is None or correlation > known[1] + BETTER_BY)

    def _is_source(self, name: str, key: Key | None) -> bool:
        """Whether an order was found on a matrix, whose agreement in it then proves nothing."""
        return key is not None and name in self.sources[key]

    def _settle(self, name: str, figures: tuple[float, float, int], sides: Sides) -> None:
        self.settled[name] = figures
        self.sides[name] = sides

    def _settle_in_known_orders(self, name: str) -> bool:
        """Whether both sides of a matrix are in orders that others have brought to light."""
        a, b = self.blocks[name]
        for rows_key, rows_size, rows_order in self._list_orders(a.shape[0]):
            for columns_key, columns_size, columns_order in self._list_orders(a.shape[1]):
                if rows_order is None and columns_order is None:
                    continue
                if self._is_source(name, rows_key) or self._is_source(name, columns_key):
                    continue
                if not self._is_new(name, (rows_key, rows_order), columns_key, columns_order):
                    continue
                i, k = find_counterparts(a.places[0], a.shape[0], rows_size, rows_order)
                j, m = find_counterparts(a.places[1], a.shape[1], columns_size, columns_order)
                if min(len(i), len(j)) < 2:
                    continue
                z, correlation = _correlate(a.values[np.ix_(i, j)], b.values[np.ix_(k, m)])
                if self._is_better(name, z, correlation):
                    sides = rows_key, columns_key
                    self._settle(name, (z, correlation, len(i) * len(j)), sides)
                    return True
        return False

    def _is_new(self, name: str, side: object, key: Key | None, order: Places | None) -> bool:
        """Whether this was not tried yet with so much known of the order."""
        if isinstance(side, tuple):
            side = side[0], _count_known(side[1])
        trial = name, side, key, _count_known(order)
        new = trial not in self.tried
        self.tried.add(trial)
        return new

    def _list_orders(self, length: int) -> list[tuple[Key | None, int, Places | None]]:
        """(key, units, order) of what the columns of a matrix may be in; None as they stand.

        A unit may have several columns in a row: the places of a convolution's kernel.
        """
        found: list[tuple[Key | None, int, Places | None]] = [(None, length, None)]
        for size, orders in self.orders.items():
            if length % size == 0:
                found += [((size, n), size, order) for n, order in enumerate(orders)]
        return found

    def _add_order(self, block: Block, match: UnitMatch) -> Key | None:
        """Key of the order that a match shows; None where units stand still or nothing is known."""
        size, first, second = (
            block.shape[0],
            block.places[0][match.first],
            block.places[0][match.second],
        )
        if len(first) == 0 or (first == second).mean() > STANDS_STILL:
            return None
        order = np.full(size, -1)
        order[first] = second
        known = self.orders.setdefault(size, [])
        for place, other in enumerate(known):
            both = (order >= 0) & (other >= 0)
            if both.sum() >= 4 and (order[both] == other[both]).mean() > SAME_ORDER:
                known[place] = np.where(other >= 0, other, order)
                return size, place
        if len(known) >= MOST_ORDERS:
            return None
        known.append(order)
        return size, len(known) - 1

    def _sum_up(self) -> Symmetry:
        # Narrow matrices gave traits that orders were found by: they prove nothing.
        sizes = {n: a.values.size for n, (a, _) in self.blocks.items() if min(a.shape) > NARROW}
        total = sum(sizes.values())
        count = sum(n for _, _, n in self.settled.values())
        agreed = sum(r * n for _, r, n in self.settled.values())
        return Symmetry(
            z=agreed / math.sqrt(count) if count else 0.0,
            correlation=sum(r * sizes[name] for name, (_, r, _) in self.settled.items())
            / max(total, 1),
            settled=tuple(sorted(self.settled)),
            shared=len(sizes),
            orders={
                (size, n): o for size, known in self.orders.items() for n, o in enumerate(known)
            },
            sides=self.sides,
        )


def find_counterparts(
    places: Places, length: int, size: int, order: Places | None
) -> tuple[Places, Places]:
    """Positions (in the first sample, in the second) of columns that stand for each other.

    ``places`` are the sampled columns of ``length``, which ``size`` units share evenly.
    """
    if order is None:
        return np.arange(len(places)), np.arange(len(places))
    each = length // size
    unit = order[places // each]
    wanted = np.where(unit >= 0, unit * each + places % each, -1)
    at = np.minimum(np.searchsorted(places, wanted), len(places) - 1)
    found = (wanted >= 0) & (places[at] == wanted)
    return np.flatnonzero(found), at[found]


def _count_known(order: Places | None) -> int:
    return -1 if order is None else int((order >= 0).sum())


def _fits(tensor: TensorFingerprint, other: TensorFingerprint | None) -> bool:
    return (
        other is not None
        and tensor.shape == other.shape
        and tensor.sample.shape == other.sample.shape
    )


def _correlate(first: Floats, second: Floats) -> tuple[float, float]:
    """z and centred correlation of two samples as they stand."""
    x, y = first - first.mean(), second - second.mean()
    squares = float((x * x).sum()) * float((y * y).sum())
    correlation = float((x * y).sum()) / math.sqrt(squares) if squares > 0.0 else 0.0
    return correlation * math.sqrt(x.size), correlation
