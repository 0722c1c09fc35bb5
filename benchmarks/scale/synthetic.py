"""Families of models without training: structures, roots, trees and steps as real ones have them.

Roots have matrices of falling spectra, children differ from their parents as fine-tunes, adapters,
partial fine-tunes, casts, quantised, pruned and merged models do, now and then with another head.
Everything follows from one seed, and a model takes a millisecond or two.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.topologies import TOPOLOGIES
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.weights.tensors import DType, LazyTensor, Weights

Arrays = dict[str, NDArray[np.float32]]
Shapes = Mapping[str, tuple[int, ...]]
DRIFT_RANK = 2
"""Directions of each matrix in which all steps of a family agree a little."""
OPERATIONS: Mapping[str, int] = {
    "finetune": 60,
    "adapter": 15,
    "partial": 10,
    "cast": 4,
    "quantized": 3,
    "pruned": 2,
    "merge": 3,
    "new_head": 3,
}
"""Relation of a child to its parent -> how often it occurs, in parts of 100."""


class ArrayTensor(LazyTensor):
    """A tensor that is in memory."""

    def __init__(self, name: str, values: NDArray[np.float32]) -> None:
        super().__init__(name, values.shape, DType.F32)
        self._flat = np.ascontiguousarray(values).ravel()

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        return self._flat[start:stop]


class ArrayWeights(Weights):
    """A checkpoint that is in memory."""

    format = "safetensors"

    def __init__(self, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        self.metadata = {}
        self._tensors = {name: ArrayTensor(name, values) for name, values in arrays.items()}

    def close(self) -> None:
        """There is no file."""


@dataclass(frozen=True)
class Born:
    """A member of a family: its place, those of its parents, what was done, and its weights."""

    place: int
    parents: tuple[int, ...]
    relation: str
    weights: Arrays


def draw_shapes(rng: random.Random) -> Shapes:
    """Tensors of a small transformer, convolutional network or perceptron."""
    kind = rng.choice(("gpt", "vit", "cnn", "mlp"))
    width = rng.choice((10, 12, 14, 16))
    depth = rng.choice((1, 2))
    shapes: dict[str, tuple[int, ...]] = {}
    if kind in ("gpt", "vit"):
        front = ("embed.weight", (rng.choice((24, 32, 40)), width))
        shapes |= dict([front]) if kind == "gpt" else {"patches.weight": (width, 48)}
        for block in range(depth):
            shapes[f"blocks.{block}.attention.qkv.weight"] = (3 * width, width)
            shapes[f"blocks.{block}.mlp.weight"] = (2 * width, width)
            shapes[f"blocks.{block}.norm.weight"] = (width,)
    elif kind == "cnn":
        for block in range(depth + 1):
            shapes[f"features.{block}.weight"] = (width // 2, 3 if block == 0 else width // 2, 3, 3)
            shapes[f"features.{block}.bias"] = (width // 2,)
    else:
        for block in range(depth + 1):
            shapes[f"layers.{block}.weight"] = (2 * width, 64 if block == 0 else 2 * width)
            shapes[f"layers.{block}.bias"] = (2 * width,)
        width *= 2
    if kind == "cnn":
        width //= 2
    return shapes | {"head.weight": (rng.choice((10, 12, 16)), width)}


class Breeder:
    """Grows one family.

    Parameters
    ----------
    shapes : tensors of its root
    seed : of this family
    """

    def __init__(self, shapes: Shapes, seed: int) -> None:
        self._rng = random.Random(seed)
        self._noise = np.random.default_rng(seed)
        self._root = {name: self._draw_root(shape) for name, shape in shapes.items()}
        self._drift = {
            name: self._draw(shape, DRIFT_RANK) for name, shape in shapes.items() if len(shape) > 1
        }

    def grow(self, size: int) -> Iterator[Born]:
        """The root, then its descendants, parents before children."""
        rng = self._rng
        parents = TOPOLOGIES[rng.choice(list(TOPOLOGIES))](size, rng)
        last = {parent: child for child, parent in enumerate(parents, 1)}
        alive = {0: self._root}
        yield Born(0, (), "root", self._root)
        for child, parent in enumerate(parents, 1):
            relation = rng.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
            ends = [parent]
            if relation == "merge":
                others = [m for m in alive if m != parent and self._match(m, parent, alive)]
                ends += [rng.choice(others)] if others else []
                relation = relation if others else "finetune"
            weights = self._derive(relation, *(alive[end] for end in ends))
            yield Born(child, tuple(ends), relation, weights)
            if child in last:
                alive[child] = weights
            for end in (parent,):
                if last[end] == child:
                    del alive[end]

    def _match(self, first: int, second: int, alive: Mapping[int, Arrays]) -> bool:
        return all(v.shape == alive[second][n].shape for n, v in alive[first].items())

    def _derive(self, relation: str, parent: Arrays, other: Arrays | None = None) -> Arrays:
        matrices = {name for name, values in parent.items() if values.ndim > 1}
        if relation == "cast":
            return {n: _round_to_bfloat16(v) for n, v in parent.items()}
        if relation == "quantized":
            return {n: _quantise(v) if n in matrices else v for n, v in parent.items()}
        if relation == "pruned":
            return {n: _prune(v, 0.5) if n in matrices else v for n, v in parent.items()}
        if other is not None:
            share = np.float32(self._rng.uniform(0.25, 0.75))
            return {n: share * v + (1 - share) * other[n] for n, v in parent.items()}
        if relation == "partial":
            moved = set(self._rng.sample(sorted(parent), max(1, len(parent) // 3)))
        else:
            moved = matrices if relation == "adapter" else set(parent)
        rank = 2 if relation == "adapter" else None
        child = {n: self._move(n, v, rank) if n in moved else v for n, v in parent.items()}
        if relation == "new_head":
            classes = self._rng.choice((4, 6, 8, 20))
            child["head.weight"] = self._draw_root((classes, parent["head.weight"].shape[1]))
        return child

    def _move(
        self, name: str, values: NDArray[np.float32], rank: int | None
    ) -> NDArray[np.float32]:
        """By 0.3 to 10 % of the tensor's norm, partly in the directions of all of the family."""
        length = math.exp(self._rng.uniform(math.log(0.003), math.log(0.1)))
        step = self._draw(values.shape, rank)
        if rank is None and name in self._drift and self._drift[name].shape == step.shape:
            step = step + np.float32(self._rng.uniform(0.0, 1.0)) * self._drift[name]
        norm = float(np.linalg.norm(step)) or 1.0
        return values + step * np.float32(length * (float(np.linalg.norm(values)) or 1.0) / norm)

    def _draw(self, shape: tuple[int, ...], rank: int | None) -> NDArray[np.float32]:
        """Normal noise, of a rank if it is asked for and a matrix."""
        if rank is None or len(shape) < 2:
            return self._noise.standard_normal(shape, np.float32)
        up = self._noise.standard_normal((shape[0], rank), np.float32)
        down = self._noise.standard_normal((rank, math.prod(shape[1:])), np.float32)
        low: NDArray[np.float32] = (up @ down).reshape(shape)
        return low

    def _draw_root(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A vector near one; a matrix of noise and of a few directions that training made large."""
        if len(shape) < 2:
            return (1 + 0.1 * self._noise.standard_normal(shape)).astype(np.float32)
        learnt = sum(self._draw(shape, 1) / np.float32(k) for k in range(1, 5))
        fan = math.prod(shape[1:])
        return ((self._draw(shape, None) + learnt) / math.sqrt(fan)).astype(np.float32)


def fingerprint_arrays(arrays: Mapping[str, NDArray[np.float32]], name: str) -> Fingerprint:
    """As if it had been a file; the checksum is the name's."""
    checksum = hashlib.sha256(name.encode()).hexdigest()
    return fingerprint_weights(ArrayWeights(arrays), checksum=checksum)


def _round_to_bfloat16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    bits = values.view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32)


def _quantise(values: NDArray[np.float32]) -> NDArray[np.float32]:
    step = max(float(np.abs(values).max()) / 127, 1e-12)
    rounded: NDArray[np.float32] = (np.rint(values / step) * step).astype(np.float32)
    return rounded


def _prune(values: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    small = np.abs(values) <= np.quantile(np.abs(values), share)
    pruned: NDArray[np.float32] = np.where(small, np.float32(0), values)
    return pruned
