"""Small checkpoints with ancestors, any number of them, each known by its number.

Families go across the clients: what one client does changes the trees of the others' models.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np
from safetensors.numpy import save

FAMILIES = 6
LAYERS = 3
WIDTH = 48
LARGE_EVERY = 12
LARGE_ROWS = 4096


@functools.cache
def make_checkpoint(number: int) -> bytes:
    """The safetensors file of model ``number``: a child of the model ``FAMILIES`` before it.

    Every twelfth has a large table beside its layers, so that its upload takes longer.
    """
    tensors = {f"layers.{n}.weight": w for n, w in enumerate(_make_weights(number))}
    if number % LARGE_EVERY == LARGE_EVERY - 1:
        random = np.random.default_rng(number)
        tensors["table.weight"] = random.normal(0, 1, (LARGE_ROWS, WIDTH)).astype(np.float32)
    return save(tensors)


@functools.cache
def _make_weights(number: int) -> list[np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    random = np.random.default_rng(1000 + number)
    generation, family = divmod(number, FAMILIES)
    if generation == 0:
        shape = (LAYERS, WIDTH, WIDTH + 4 * family)
        return [w.astype(np.float32) for w in random.normal(0, 0.1, shape)]
    # Half of the parents are their family's founder: trees are neither lines nor stars.
    parent = number - FAMILIES if generation % 2 else family
    return [w + random.normal(0, 0.01, w.shape).astype(np.float32) for w in _make_weights(parent)]


def get_checksum(number: int) -> str:
    return hashlib.sha256(make_checkpoint(number)).hexdigest()
