"""What is done to finished weights without training: quantise, cast, prune, merge, deepen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from benchmarks.training import Weights

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


def _is_matrix(value: Tensor) -> bool:
    return value.ndim >= 2 and value.is_floating_point()


def change_matrices(weights: Weights, change: Callable[[Tensor], Tensor]) -> Weights:
    """Every matrix (kernels and stacks flattened to rows) by ``change``; the rest as it is."""
    return {
        n: change(v.float().flatten(1)).view(v.shape) if _is_matrix(v) else v.clone()
        for n, v in weights.items()
    }


def quantise(weights: Weights, *, bits: int, per_row: bool) -> Weights:
    """Round every matrix to a symmetric absmax grid of ``bits`` bits, stored as float32."""

    def on_grid(flat: Tensor) -> Tensor:
        largest = flat.abs().amax(1, keepdim=True) if per_row else flat.abs().max()
        step = (largest / (2 ** (bits - 1) - 1)).clamp_min(1e-12)
        rounded: Tensor = (flat / step).round() * step
        return rounded

    return change_matrices(weights, on_grid)


def cast(weights: Weights, *, dtype: str, stored: str) -> Weights:
    """Round every value to ``dtype`` and store it as ``stored`` ("fp32" or the same)."""
    return {
        n: v.to(DTYPES[dtype]).to(DTYPES[stored]) if v.is_floating_point() else v.clone()
        for n, v in weights.items()
    }


def prune(weights: Weights, *, share: float) -> Weights:
    """Set the smallest ``share`` of every matrix to zero."""

    def thin(value: Tensor) -> Tensor:
        size = value.float().abs().flatten()
        cut = size.kthvalue(max(1, round(share * size.numel()))).values
        return torch.where(value.abs() <= cut, torch.zeros_like(value), value)

    return {n: thin(v) if _is_matrix(v) else v.clone() for n, v in weights.items()}


def merge(first: Weights, second: Weights, *, coefficient: float) -> Weights:
    """``coefficient`` x first + (1 - coefficient) x second, stored as float32."""
    return {
        n: coefficient * v.float() + (1 - coefficient) * second[n].float()
        if v.is_floating_point()
        else v.clone()
        for n, v in first.items()
    }


def deepen(weights: Weights, *, blocks: Sequence[int]) -> Weights:
    """Blocks repeated or left out: block i of the new model is block ``blocks[i]`` of the old."""
    prefix = "blocks."
    deeper = {n: v.clone() for n, v in weights.items() if not n.startswith(prefix)}
    for place, block in enumerate(blocks):
        for name, value in weights.items():
            if name.startswith(f"{prefix}{block}."):
                rest = name.removeprefix(f"{prefix}{block}.")
                deeper[f"{prefix}{place}.{rest}"] = value.clone()
    return deeper


def duplicate(weights: Weights) -> Weights:
    return {name: value.clone() for name, value in weights.items()}


def same_values(first: Weights, second: Weights) -> bool:
    """Whether two models are equal number by number, whatever the dtype."""
    return first.keys() == second.keys() and all(
        v.shape == second[n].shape and torch.equal(v.double(), second[n].double())
        for n, v in first.items()
    )
