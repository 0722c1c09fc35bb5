"""Real models altered without changing what they compute."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def number_tensors(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Names that tell nothing, as exporters of graphs leave."""
    return {f"tensor_{i}": array for i, array in enumerate(arrays.values())}


def permute_hidden(arrays: Mapping[str, Array], seed: int) -> dict[str, Array]:
    """A vision transformer with the hidden units of every block in another order."""
    rng = np.random.default_rng(seed)
    changed = dict(arrays)
    for name, array in arrays.items():
        if name.endswith("fc1.weight"):
            block = name.removesuffix("fc1.weight")
            order = rng.permutation(len(array))
            changed[name] = array[order]
            changed[f"{block}fc1.bias"] = arrays[f"{block}fc1.bias"][order]
            changed[f"{block}fc2.weight"] = arrays[f"{block}fc2.weight"][:, order]
    return changed


def permute_residual(arrays: Mapping[str, Array], seed: int) -> dict[str, Array]:
    """A vision transformer with the channels of its residual stream in another order."""
    width = len(arrays["norm.weight"])
    order = np.random.default_rng(seed).permutation(width)
    written = ("embed.", "attention.output.", "fc2.", "norm1.", "norm2.", "norm.")
    read = ("query.weight", "key.weight", "value.weight", "fc1.weight", "head.weight")
    changed = dict(arrays)
    for name, array in arrays.items():
        if name in ("cls_token", "positions"):
            changed[name] = array[..., order]
        elif any(part in name for part in written):
            changed[name] = array[order]
        elif name.endswith(read):
            changed[name] = array[:, order]
    return changed


def scale_values(arrays: Mapping[str, Array], seed: int) -> dict[str, Array]:
    """Channels of the values multiplied by factors from 1/4 to 4 that the output divides by."""
    rng = np.random.default_rng(seed)
    changed = dict(arrays)
    for name, array in arrays.items():
        if name.endswith("value.weight"):
            block = name.removesuffix("value.weight")
            factors = np.exp(rng.uniform(-np.log(4), np.log(4), len(array))).astype(array.dtype)
            changed[name] = array * factors[:, None]
            changed[f"{block}value.bias"] = arrays[f"{block}value.bias"] * factors
            changed[f"{block}output.weight"] = arrays[f"{block}output.weight"] / factors
    return changed
