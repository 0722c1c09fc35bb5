"""Would an approximate index find relatives among very many routes sooner than looking at all?

Needs the package usearch, which the program itself does not use (docs/scaling.md says why).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale.rows import Row, at_least, at_most, time_median
from model_heritage_backend.clustering.route_groups import LOOK_Z
from model_heritage_backend.clustering.routes import LARGEST, SCALE, Layout, calculate_scores
from model_heritage_backend.fingerprints.summary import ROUTING_SIZE

FAMILY = 50
QUERIES = 200
NEAREST = 512
SHARES = {"close relatives": (0.7, 1.0), "distant relatives": (0.2, 0.4)}
"""Kind of newcomer -> of its route, what it shares with one stored model: correlations."""
BLOCK = 50_000
LAYOUT = Layout.build("one", [(f"layers.{n}.weight", (768, 768)) for n in range(48)])

Routes = NDArray[np.int8]


def draw_routes(count: int, rng: np.random.Generator) -> Routes:
    """(count, ROUTING_SIZE) of families of 50: each member is a step of 0.3 to 10 % from one that
    was there before, as in ``synthetic``."""
    routes = np.empty((count, ROUTING_SIZE), np.int8)
    for start in range(0, count, FAMILY):
        size = min(FAMILY, count - start)
        family = np.empty((size, ROUTING_SIZE), np.float32)
        family[0] = rng.standard_normal(ROUTING_SIZE, np.float32)
        for member in range(1, size):
            length = np.float32(np.exp(rng.uniform(np.log(0.003), np.log(0.1))))
            step = rng.standard_normal(ROUTING_SIZE, np.float32)
            family[member] = family[rng.integers(member)] + length * step
        routes[start : start + size] = _round(family)
    return routes


def draw_newcomers(
    routes: Routes, span: tuple[float, float], rng: np.random.Generator
) -> tuple[Routes, NDArray[np.int64]]:
    """Routes that correlate with a stored one by so much, and the number of its family."""
    chosen = rng.integers(len(routes), size=QUERIES)
    share = rng.uniform(*span, (QUERIES, 1))
    own = rng.standard_normal((QUERIES, ROUTING_SIZE))
    values = share * routes[chosen] / SCALE + np.sqrt(1 - share**2) * own
    return _round(values), chosen // FAMILY


def measure(count: int) -> Iterator[Row]:
    """Looking at all of so many routes of one structure, and asking an index of them."""
    from usearch.index import Index, MetricKind, ScalarKind

    rng = np.random.default_rng(5)
    routes = draw_routes(count, rng)
    newcomers = {kind: draw_newcomers(routes, span, rng) for kind, span in SHARES.items()}
    structures = np.zeros(count, np.int64)

    def scan(route: Routes) -> NDArray[np.float64]:
        return calculate_scores(route, LAYOUT, [LAYOUT], routes, structures)

    first = next(iter(newcomers.values()))[0][0]
    exact = time_median(lambda: scan(first), 5)
    index = Index(ndim=ROUTING_SIZE, metric=MetricKind.Cos, dtype=ScalarKind.I8)
    began = time.perf_counter()
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        index.add(np.arange(start, stop), routes[start:stop], threads=1)
    built = time.perf_counter() - began
    asked = time_median(lambda: index.search(first, NEAREST, threads=1), 25)
    among = f"{count:,} routes"
    yield at_most(f"nearest of {among}, by an index", asked, "s", "looking at all", exact)
    yield at_most(f"building the index of {among}", built, "s", "looking at all", exact, None)
    yield at_most(
        "memory of the index", index.memory_usage / 1e6, "MB", "the routes", routes.nbytes / 1e6
    )
    for kind, (asking, families) in newcomers.items():
        found = _count(
            asking,
            families,
            lambda one: index.search(one, NEAREST, threads=1).keys.astype(np.int64),
        )
        all_ = _count(asking, families, lambda one: np.flatnonzero(scan(one) > LOOK_Z))
        yield at_least(f"families found of {kind}", found, "", "looking at all", all_, 0.99)
        roots = _count(asking, families, lambda one: _scan_roots(one, routes))
        what = f"the same, one member of each family looked at, {kind}"
        yield at_least(what, roots, "", "looking at all", all_, 0.99)


def _scan_roots(route: Routes, routes: Routes) -> NDArray[np.int64]:
    """Numbers of first members of families that agree with a route."""
    roots = routes[::FAMILY]
    structures = np.zeros(len(roots), np.int64)
    scores = calculate_scores(route, LAYOUT, [LAYOUT], roots, structures)
    return np.flatnonzero(scores > LOOK_Z) * FAMILY


def _count(
    asking: Routes, families: NDArray[np.int64], find: Callable[[Routes], NDArray[np.int64]]
) -> float:
    """Share of the newcomers of whose family a member is found."""
    hits = [family in find(route) // FAMILY for route, family in zip(asking, families, strict=True)]
    return float(np.mean(hits))


def _round(values: NDArray[np.floating]) -> Routes:
    rounded: Routes = np.clip(np.rint(values * SCALE), -LARGEST, LARGEST).astype(np.int8)
    return rounded
