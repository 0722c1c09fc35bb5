"""Unmerged low-rank adapters: which matrices they change, and samples of the change.

An adapter's file holds two factors per adapted matrix, up (rows x rank) and down (rank x columns);
the model gets a multiple of their product. The product is never built: a sample of it needs only
the sampled rows of one factor and the sampled columns of the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.fingerprint import AdaptedMatrix
from model_heritage_backend.fingerprints.kernels import PIECE, multiply
from model_heritage_backend.fingerprints.sampling import COLUMN_SALT, ROW_SALT, select_indices
from model_heritage_backend.weights.tensors import LazyTensor

FACTOR = re.compile(r"(?P<target>.+?)[._]lora[._](?P<part>A|B|down|up)(?:\.[^.]+)?\.weight")
"""PEFT ("q_proj.lora_A.default.weight"), kohya ("lora_down") and diffusers ("to_q_lora.down")."""
EMBEDDING = re.compile(r"(?P<target>.+?)\.lora_embedding_(?P<part>[AB])(?:\.[^.]+)?")
"""PEFT's factors of an embedding, whose product is the transpose of the change."""
WRAPPER = "base_model.model."
MOST_RANK = 4096
"""Factors that meet in more dimensions are no low-rank adapter, and would need memory to match."""
DOWN = frozenset({"A", "down"})


@dataclass(frozen=True)
class FactorPair:
    """``up`` (rows, rank) and ``down`` (rank, columns); ``transposed``: of an embedding."""

    target: str
    up: LazyTensor
    down: LazyTensor
    transposed: bool

    @property
    def rank(self) -> int:
        return self.down.row_count


def find_factors(tensors: Mapping[str, LazyTensor]) -> tuple[list[FactorPair], bool]:
    """The pairs of factors of an adapter's file.

    Returns
    -------
    pairs, by target; and whether factors were left over that have no partner or do not fit theirs.
    A file that holds an adapted matrix itself is a whole model, not an adapter: it has no pairs.
    """
    found: dict[tuple[str, bool], dict[str, LazyTensor]] = {}
    left_over = False
    for name, tensor in tensors.items():
        for pattern in (FACTOR, EMBEDDING):
            match = pattern.fullmatch(name)
            if match is None:
                continue
            sides = found.setdefault((match["target"], pattern is EMBEDDING), {})
            side = "down" if match["part"] in DOWN else "up"
            # Several adapters in one file: which of them was merged cannot be told.
            left_over |= side in sides
            sides[side] = tensor
            break
    pairs = []
    for (target, transposed), sides in sorted(found.items()):
        if f"{target}.weight" in tensors or f"{target}.base_layer.weight" in tensors:
            return [], False
        if sides.keys() == {"up", "down"} and _do_fit(sides["up"], sides["down"]):
            pairs.append(FactorPair(name_target(target), sides["up"], sides["down"], transposed))
        else:
            left_over = True
    return pairs, left_over and bool(pairs)


def name_target(prefix: str) -> str:
    """Name of the adapted matrix, without what training libraries put before it."""
    return prefix.removeprefix(WRAPPER).replace(".processor", "") + ".weight"


def _do_fit(up: LazyTensor, down: LazyTensor) -> bool:
    floating = up.dtype.is_floating and down.dtype.is_floating
    matrices = len(up.shape) >= 2 and len(down.shape) >= 2
    fitting = up.row_size == down.row_count and 1 <= down.row_count <= MOST_RANK
    return floating and matrices and fitting and up.size > 0 and down.size > 0


def sample_change(pair: FactorPair, row_count: int, column_count: int) -> AdaptedMatrix:
    """Sample the product at the very places where the matrix itself is sampled in a full model.

    Linear layers are stored as (out, in) or the other way round (Conv1D), which the factors do not
    tell: the sample of the transpose is taken as well. At most PIECE values are read at a time
    beyond one row; memory is bounded by ``row_count * MOST_RANK``.
    """
    rows, columns = pair.up.row_count, pair.down.row_size
    shape = (rows, *pair.down.shape[1:])
    straight = _multiply_sampled(
        pair, (rows, row_count, ROW_SALT), (columns, column_count, COLUMN_SALT)
    )
    turned = np.zeros((0, 0), np.float32)
    if len(shape) == 2:
        turned = _multiply_sampled(
            pair, (rows, column_count, COLUMN_SALT), (columns, row_count, ROW_SALT)
        ).T
    if pair.transposed:
        shape, straight, turned = (columns, rows), turned, np.zeros((0, 0), np.float32)
    return AdaptedMatrix(
        name=pair.target,
        shape=shape,
        rank=pair.rank,
        sample=np.ascontiguousarray(straight),
        turned=np.ascontiguousarray(turned),
    )


def _multiply_sampled(
    pair: FactorPair, rows: tuple[int, int, np.uint64], columns: tuple[int, int, np.uint64]
) -> NDArray[np.float32]:
    """The product where it is sampled: dimension, number of samples and salt on either side."""
    up_rows, down_columns = select_indices(*rows), select_indices(*columns)
    up = np.empty((up_rows.size, pair.rank))
    for place, row in enumerate(up_rows):
        up[place] = pair.up.read_rows(int(row), int(row) + 1)[0]
    down = np.empty((pair.rank, down_columns.size))
    step = max(1, PIECE // max(columns[0], 1))
    for start in range(0, pair.rank, step):
        stop = min(start + step, pair.rank)
        down[start:stop] = pair.down.read_rows(start, stop)[:, down_columns]
    product = np.zeros((up_rows.size, down_columns.size))
    multiply(up, down, product)
    with np.errstate(over="ignore"):
        return product.astype(np.float32)
