"""Merges beyond the mean of two: SLERP, task arithmetic, TIES, DARE.

All take models of one architecture and give float32. Statistics of batch norm are averaged where a
method works on differences from a base: a sum of differences could make a variance negative.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from benchmarks.training import Weights

PARALLEL = 0.9995
"""Cosine above which directions are too close to turn from one to the other."""


def blend(models: Sequence[Weights], *, coefficients: Sequence[float]) -> Weights:
    """The sum of coefficient x model."""
    return {
        name: sum(
            (c * m[name].float() for c, m in zip(coefficients, models, strict=True)),
            torch.zeros_like(value, dtype=torch.float32),
        )
        if value.is_floating_point()
        else value.clone()
        for name, value in models[0].items()
    }


def slerp(first: Weights, second: Weights, *, coefficient: float) -> Weights:
    """Turn every tensor from the first's direction to the second's (Shoemake 1985).

    sin(c w)/sin(w) x first + sin((1 - c) w)/sin(w) x second, w the angle between them and c the
    coefficient; the weighted mean where they are nearly parallel.
    """

    def turn(a: Tensor, b: Tensor) -> Tensor:
        cosine = torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0)
        if cosine.abs() > PARALLEL or a.norm() == 0 or b.norm() == 0:
            return coefficient * a + (1 - coefficient) * b
        angle = cosine.acos()
        left, right = torch.sin(coefficient * angle), torch.sin((1 - coefficient) * angle)
        turned: Tensor = (left * a + right * b) / torch.sin(angle)
        return turned

    return {
        n: turn(v.float(), second[n].float()) if v.is_floating_point() else v.clone()
        for n, v in first.items()
    }


def add_task_vectors(
    base: Weights, models: Sequence[Weights], *, factors: Sequence[float]
) -> Weights:
    """base + sum of factor x (model - base) (Ilharco et al. 2023, arXiv 2212.04089)."""
    vectors = [_subtract(model, base) for model in models]
    summed = {
        name: sum((f * v[name] for f, v in zip(factors, vectors, strict=True)), torch.zeros(()))
        for name in vectors[0]
    }
    return _apply(base, summed, models)


def dare(
    base: Weights,
    models: Sequence[Weights],
    *,
    factors: Sequence[float],
    drop: float,
    seed: int,
) -> Weights:
    """Task arithmetic on thinned differences (Yu et al. 2024, arXiv 2311.03099).

    A share ``drop`` of each is set to zero at random and the rest divided by 1 - ``drop``.
    """
    generator = torch.Generator().manual_seed(seed)
    thinned = []
    for model in models:
        vector = _subtract(model, base)
        kept = {
            n: v * (torch.rand(v.shape, generator=generator) >= drop) / (1 - drop)
            for n, v in vector.items()
        }
        thinned.append({n: base[n].float() + kept[n] if n in kept else v for n, v in model.items()})
    return add_task_vectors(base, thinned, factors=factors)


def ties(base: Weights, models: Sequence[Weights], *, density: float, factor: float) -> Weights:
    """Trim, elect signs, merge (Yadav et al. 2023, arXiv 2306.01708, algorithm 1).

    Of every difference from the base the share ``density`` of largest size is kept; the sign of a
    value is that of the sum of what is left; those that agree are averaged, times ``factor``.
    """
    vectors = [_trim(_subtract(model, base), density) for model in models]
    merged = {}
    for name in vectors[0]:
        values = torch.stack([vector[name] for vector in vectors])
        agreeing = (values * values.sum(0).sign()) > 0
        count = agreeing.sum(0).clamp_min(1)
        merged[name] = factor * (values * agreeing).sum(0) / count
    return _apply(base, merged, models)


def _subtract(model: Weights, base: Weights) -> Weights:
    return {
        name: model[name].float() - value.float()
        for name, value in base.items()
        if value.is_floating_point() and "running_" not in name
    }


def _trim(vector: Weights, density: float) -> Weights:
    """Only the largest values of the whole vector, over all its tensors."""
    sizes = torch.cat([value.abs().flatten() for value in vector.values()])
    dropped = round((1 - density) * sizes.numel())
    cut = sizes.kthvalue(dropped).values if dropped else sizes.new_tensor(-1.0)
    return {name: value * (value.abs() > cut) for name, value in vector.items()}


def _apply(base: Weights, vector: Weights, models: Sequence[Weights]) -> Weights:
    """The base moved by a vector; whatever the vector has not is the models' mean."""
    mean = blend(models, coefficients=[1 / len(models)] * len(models))
    return {n: base[n].float() + vector[n] if n in vector else v for n, v in mean.items()}
