"""How long the engine takes over a family, on one core or two.

``python -m benchmarks.speed`` trains a 12-layer vision transformer (75 matrices), grows families
from it by random steps, prints a table beside what was asked for and writes it as Markdown and JSON
into benchmarks/results/: what samples say of one more model than 50, the tree of 51 from what is
known, and a family of 1,000 from its fingerprints. Of models of 64 channels no matrix has a wide
sample, of models of 192 channels eight have. Seconds depend on the machine, and on who else uses
it: beside each figure is a yardstick's, taken before and after.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from benchmarks import operations
from benchmarks.architectures import Architecture, Kind
from benchmarks.tasks import general_task
from benchmarks.training import Recipe, Weights, train_root
from benchmarks.zoo import one_thread
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.memory_store import hash_file
from model_heritage_backend.clustering.pair_cache import PairCache
from model_heritage_backend.clustering.threads import one_blas_thread
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.weights import open_weights

RESULTS = Path(__file__).parent / "results"
KEPT = 50
"""Parents are drawn from so many latest models: only their weights are held in memory."""
DRIFT_RANK = 4
"""Directions of each matrix in which all steps of a family agree a little."""
LOW_RANK = 8
REPEATED = 3
"""Times that a newcomer is measured; the least is told."""


def train(width: int) -> Weights:
    """A 12-layer vision transformer of so many channels."""
    rng = random.Random(width)
    architecture = Architecture(kind=Kind.VIT, width=width, depth=12, hidden=2 * width, outputs=10)
    recipe = Recipe(rate=1e-3, decay=0.05, steps=60, batch=32, seed=1)
    return train_root(architecture, general_task(architecture, rng), recipe)


class Nursery:
    """Grows a family from a root: mostly steps, some copies and merges, all at random."""

    def __init__(self, root: Weights, seed: int) -> None:
        self._rng = random.Random(seed)
        self._noise = torch.Generator().manual_seed(seed)
        self._alive = [root]
        self._drift = {name: self._draw(value, DRIFT_RANK) for name, value in root.items()}

    def bear(self) -> Weights:
        """One more model, of one of the latest."""
        rng = self._rng
        parent, other = (rng.choice(self._alive) for _ in range(2))
        operation = rng.choices(
            ("step", "low rank", "cast", "quantise", "merge"), (70, 20, 4, 3, 3)
        )[0]
        if operation == "cast":
            return operations.cast(parent, dtype="bf16", stored="bf16")
        if operation == "quantise":
            return operations.quantise(parent, bits=8, per_row=True)
        if operation == "merge" and other is not parent:
            return operations.merge(parent, other, coefficient=rng.uniform(0.2, 0.8))
        child = self._move(parent, LOW_RANK if operation == "low rank" else None)
        self._alive = [*self._alive, child][-KEPT:]
        return child

    def _move(self, parent: Weights, rank: int | None) -> Weights:
        """By 0.5 to 20 % of the parent's norm, matrix by matrix."""
        length = math.exp(self._rng.uniform(math.log(0.005), math.log(0.2)))
        drift = 0.0 if rank else self._rng.uniform(0.0, 1.0)
        child = {}
        for name, value in parent.items():
            step = self._draw(value, rank) + drift * self._drift[name]
            step *= length * value.norm() / step.norm().clamp_min(1e-12)
            child[name] = value + step
        return child

    def _draw(self, value: Tensor, rank: int | None) -> Tensor:
        """Normal noise of the tensor's shape, of unit variance; of a rank if it is a matrix."""
        if rank is None or value.ndim < 2:
            return torch.randn(value.shape, generator=self._noise)
        flat = value.flatten(1)
        up = torch.randn(len(flat), rank, generator=self._noise)
        down = torch.randn(rank, flat.shape[1], generator=self._noise)
        low: Tensor = up @ down
        return low.view_as(value)


def take_fingerprints(root: Weights, size: int) -> Iterator[tuple[str, Fingerprint]]:
    """Of a family of this size, by id; each model is a file for a moment."""
    nursery = Nursery(root, seed=size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        for number in range(size):
            save_file(nursery.bear() if number else root, path)
            with open_weights(path) as weights:
                yield str(number), fingerprint_weights(weights, checksum=hash_file(path))


@dataclass(frozen=True)
class Seconds:
    """``wall``: on the clock. ``cpu``: of all threads together."""

    wall: float
    cpu: float

    def __sub__(self, other: Seconds) -> Seconds:
        return Seconds(self.wall - other.wall, self.cpu - other.cpu)


def measure_newcomer(prints: dict[str, Fingerprint]) -> tuple[Seconds, Seconds]:
    """Of the solution when the last of the models arrives, and when all is known of all of them.

    The first looks at samples: of the newcomer and each other, and at what depends on the whole
    family. The second looks at none.
    """
    newcomer = list(prints)[-1]
    arrivals, solutions = [], []
    for _ in range(REPEATED):
        pairs = PairCache()
        solve_family({i: f for i, f in prints.items() if i != newcomer}, pairs=pairs)
        arrivals.append(time_solution(prints, pairs))
        solutions += [time_solution(prints, pairs) for _ in range(REPEATED)]
    arrival, solution = (min(found, key=lambda s: s.wall) for found in (arrivals, solutions))
    return arrival, solution


def time_solution(prints: dict[str, Fingerprint], pairs: PairCache) -> Seconds:
    return _time(lambda: solve_family(prints, pairs=pairs))


def _time(work: Callable[[], object]) -> Seconds:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Seconds(time.perf_counter() - wall, time.process_time() - cpu)


def measure_yardstick() -> Seconds:
    """Of the eigenvalues of 2,000 matrices of 64 x 64, by one thread."""
    values = np.random.default_rng(0).standard_normal((2000, 64, 64))
    with one_blas_thread():
        return _time(lambda: np.linalg.eigvalsh(values @ values.swapaxes(1, 2)))


@dataclass(frozen=True)
class Figure:
    """``asked``: seconds. ``yardstick``: mean of those before and after."""

    channels: int
    what: str
    asked: float
    found: Seconds
    yardstick: Seconds

    @property
    def ratio(self) -> float:
        """In yardsticks, both by the processor's time."""
        return self.found.cpu / self.yardstick.cpu

    def list_cells(self) -> list[str]:
        seconds = (self.asked, self.found.wall, self.found.cpu)
        return [
            str(self.channels),
            self.what,
            *(f"{value:.3g}" for value in (*seconds, self.ratio)),
        ]


HEADER = ("channels", "what", "asked, s", "took, s", "of processors, s", "yardsticks")


def measure_width(width: int, *, small: int, large: int) -> Iterator[Figure]:
    """All figures of models of so many channels."""
    root = train(width)
    before = measure_yardstick()
    arrival, tree = measure_newcomer(dict(take_fingerprints(root, small + 1)))
    between = measure_yardstick()
    yardstick = mean((before, between))
    what = f"what samples say when one more than {small} arrives"
    yield Figure(width, what, 0.3, arrival - tree, yardstick)
    yield Figure(width, f"tree of {small + 1} from what is known", 0.05, tree, yardstick)
    prints = dict(take_fingerprints(root, large))
    between = measure_yardstick()
    whole = time_solution(prints, PairCache())
    yardstick = mean((between, measure_yardstick()))
    yield Figure(width, f"{large:,} from fingerprints", 60.0, whole, yardstick)


def mean(found: Sequence[Seconds]) -> Seconds:
    return Seconds(fmean(s.wall for s in found), fmean(s.cpu for s in found))


def format_table(figures: Sequence[Figure]) -> str:
    rows = [list(HEADER), ["---"] * len(HEADER), *(figure.list_cells() for figure in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def write_figures(figures: Sequence[Figure], path: Path) -> None:
    """``path`` with the suffixes .md and .json."""
    path.with_suffix(".md").write_text(format_table(figures))
    plain = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
    path.with_suffix(".json").write_text(json.dumps(plain, indent=1) + "\n")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--widths", nargs="+", type=int, default=[64, 192], help="channels")
    parser.add_argument("--small", type=int, default=50, help="members that one more is added to")
    parser.add_argument("--large", type=int, default=1000, help="members of a large family")
    parser.add_argument("--out", type=Path, default=RESULTS / "speed", help="without a suffix")
    options = parser.parse_args(arguments)
    figures: list[Figure] = []
    with one_thread():
        for width in options.widths:
            for figure in measure_width(width, small=options.small, large=options.large):
                print(*figure.list_cells(), sep=", ", file=sys.stderr, flush=True)
                figures.append(figure)
    print(format_table(figures))
    write_figures(figures, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
