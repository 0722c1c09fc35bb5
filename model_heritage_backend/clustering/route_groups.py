"""Families of very many models by their routes, with a few exact tests where these do not tell.

Models of one structure are gathered around leaders: whoever agrees with a leader beyond doubt is
its relative. What agrees a little, with a leader of its own structure or of another, is tested on
whole fingerprints, and so are pairs that were relatives before. Memory holds the leaders of one
structure and a piece of its routes at a time.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.routes import (
    SCALE,
    Layout,
    RouteBlock,
    Routes,
    in_pieces,
    translate,
)
from model_heritage_backend.clustering.threads import one_blas_thread
from model_heritage_backend.fingerprints.summary import ROUTING_SIZE

SURE_CORRELATION, SURE_Z = 0.5, 10.0
"""From which two routes are of relatives beyond doubt."""
LOOK_Z = 4.5
"""From which two routes deserve the test on whole fingerprints: 0.14 of a full route. Of a million
pairs of strangers three do."""
PIECE = 1024

AreRelated = Callable[[str, str], bool]
Report = Callable[[float], None]


class Groups:
    """Disjoint sets of names."""

    def __init__(self, names: Iterable[str]) -> None:
        self._above = {name: name for name in names}

    def find(self, name: str) -> str:
        above = self._above
        while above[name] != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    def join(self, first: str, second: str) -> None:
        first, second = self.find(first), self.find(second)
        if first != second:
            # The smaller name stands for the set, so that no order shows.
            self._above[max(first, second)] = min(first, second)

    def are_joined(self, first: str, second: str) -> bool:
        return self.find(first) == self.find(second)

    def list_sets(self) -> list[list[str]]:
        """Largest first, each sorted."""
        sets: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self._above):
            sets[self.find(name)].append(name)
        return sorted(sets.values(), key=lambda group: (-len(group), group))


@dataclass(frozen=True)
class Led:
    """Models of one structure with the leaders among them.

    ``leaders``: their places; ``routes``: theirs, (leaders, ROUTING_SIZE), as float32.
    """

    block: RouteBlock
    leaders: NDArray[np.int64]
    routes: NDArray[np.float32]


def find_route_groups(
    blocks: Sequence[RouteBlock],
    are_related: AreRelated,
    *,
    before: Iterable[tuple[str, str]] = (),
    report: Report = lambda _share: None,
) -> list[list[str]]:
    """Sets of relatives among all models.

    Parameters
    ----------
    blocks : one per structure
    are_related : the exact test of two models, by id
    before : pairs that were held for relatives, to be asked about where the routes say nothing
    report : called with the share that is done

    Returns
    -------
    Lists of ids, largest first, each sorted
    """
    groups = Groups(model for block in blocks for model in block.ids)
    doubts: list[tuple[float, str, str]] = []
    led = []
    total = max(sum(len(block.ids) for block in blocks), 1)
    done = 0
    with one_blas_thread():
        for block in blocks:
            led.append(find_leaders(block))
            doubts += _gather(led[-1], led[-1], groups)
            done += len(block.ids)
            report(done / total)
        for one, other in _list_alike(led):
            doubts += _gather(one, other, groups)
            doubts += _gather(other, one, groups)
    # The likeliest first: who is in one set by then need not be asked about.
    for _, first, second in sorted(doubts, key=lambda doubt: (-doubt[0], *doubt[1:])):
        if not groups.are_joined(first, second) and are_related(first, second):
            groups.join(first, second)
    for first, second in sorted(before):
        if not groups.are_joined(first, second) and are_related(first, second):
            groups.join(first, second)
    return groups.list_sets()


def find_leaders(block: RouteBlock) -> Led:
    """Models that agree with no leader before them beyond doubt, in the order of their ids."""
    order = np.argsort(np.array(block.ids), kind="stable")
    count = block.layout.count
    leaders: list[int] = []
    routes = np.zeros((0, ROUTING_SIZE), np.float32)
    for piece in in_pieces(len(order), PIECE):
        places = order[piece]
        values = _scale(block.take(places))
        led = (_is_sure(values @ routes.T, count)).any(1)
        places, values = places[~led], values[~led]
        alike = _is_sure(values @ values.T, count)
        new: list[int] = []
        waiting = np.ones(len(places), bool)
        for place in range(len(places)):
            if waiting[place]:
                new.append(place)
                waiting &= ~alike[place]
        leaders += [int(place) for place in places[new]]
        routes = np.concatenate([routes, values[new]])
    return Led(block, np.array(leaders, np.int64), routes)


def _gather(models: Led, around: Led, groups: Groups) -> Iterator[tuple[float, str, str]]:
    """Join models with the leaders around which they are beyond doubt; gives those in doubt."""
    leaders, count = _translate(around, models.block.layout)
    if count == 0:
        return
    ids, names = models.block.ids, [around.block.ids[place] for place in around.leaders]
    for piece in in_pieces(len(ids), PIECE):
        products = _scale(models.block.take(piece)) @ leaders.T
        sure = _is_sure(products, count)
        for row, column in zip(*np.nonzero(sure), strict=True):
            groups.join(ids[piece.start + int(row)], names[int(column)])
        scores = products / np.sqrt(count)
        for row, column in zip(*np.nonzero((scores > LOOK_Z) & ~sure), strict=True):
            first, second = ids[piece.start + int(row)], names[int(column)]
            if not groups.are_joined(first, second):
                yield float(scores[row, column]), min(first, second), max(first, second)


def _translate(led: Led, other: Layout) -> tuple[NDArray[np.float32], int]:
    """Leaders' routes as models of another structure have them."""
    own = led.block.layout
    if own.structure == other.structure:
        return led.routes, own.count
    routes, count = translate(led.block.take(led.leaders), own, other)
    return _scale(routes), count


def _list_alike(led: Sequence[Led]) -> list[tuple[Led, Led]]:
    """Pairs of structures that have a matrix of one shape in common."""
    by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, one in enumerate(led):
        for shape in one.block.layout.shapes:
            by_shape[shape].append(place)
    pairs = {pair for places in by_shape.values() for pair in itertools.combinations(places, 2)}
    return [(led[a], led[b]) for a, b in sorted(pairs)]


def _scale(routes: Routes) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = routes.astype(np.float32) / np.float32(SCALE)
    return scaled


def _is_sure(products: NDArray[np.float32], count: int) -> NDArray[np.bool_]:
    """``products``: sums over ``count`` values."""
    sure: NDArray[np.bool_] = products > max(SURE_CORRELATION * count, SURE_Z * np.sqrt(count))
    return sure
