"""Exact sums of members in the words of merge tools: method, base, coefficients by layer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.merges import Merge, MergeMethod
from model_heritage_backend.clustering.span_fit import SpanFit

EQUAL = 0.005
"""Coefficients nearer to each other are one and the same."""
SAME_SHARE = 0.02
"""Shares (t) of SLERP nearer to each other are, too: angles are measured on samples."""
LAYER = re.compile(r"(?:^|\.)(\d+)(?:\.|$)")


def describe_fit(family: AlignedFamily, fit: SpanFit) -> Merge:
    """The simplest method that makes this sum.

    Coefficients that are all positive and sum to 1 are linear: what a base and its task vectors
    with such factors give is no different. A negative one is task arithmetic; its base is the
    parent that is nearest to the others. Two parents whose coefficients do not sum to 1 are SLERP.
    """
    if len(fit.parents) == 2 and _leaves_the_line(fit):
        return _describe_slerp(family, fit)
    negative = bool((fit.coefficients < 0).any())
    return Merge(
        child=fit.child,
        parents=fit.parents,
        coefficients=tuple(float(c) for c in fit.coefficients),
        method=MergeMethod.TASK_ARITHMETIC if negative else MergeMethod.LINEAR,
        base=_find_base(family, fit) if negative else None,
        gradients=_list_gradients(fit.by_matrix),
        by_tensor=bool(fit.by_matrix),
        residual=fit.residual,
    )


def _leaves_the_line(fit: SpanFit) -> bool:
    every = list(fit.by_matrix.values()) or [fit.coefficients]
    return max(abs(float(c.sum()) - 1.0) for c in every) > 1e-6


def _describe_slerp(family: AlignedFamily, fit: SpanFit) -> Merge:
    """t from the ratio of the two coefficients and the angle between the parents.

    sin(t w) / sin((1 - t) w) = q gives tan(t w) = q sin w / (1 + q cos w).
    """
    names = [n for n, t in sorted(family.tensors[fit.child].items()) if t.is_matrix]
    parts = [[name] for name in names if name in fit.by_matrix] if fit.by_matrix else [names]
    shares = {}
    for part in parts:
        first, second = (
            np.concatenate([family.get_sample(m, name).ravel() for name in part])
            for m in fit.parents
        )
        one, two = fit.get_coefficients(part[0])
        shares[part[0]] = _find_share(first, second, float(one), float(two))
    middle = float(np.median(list(shares.values())))
    same = float(np.median([abs(t - middle) for t in shares.values()])) < SAME_SHARE
    by_matrix = {name: np.array([1 - t, t]) for name, t in shares.items()}
    return Merge(
        child=fit.child,
        parents=fit.parents,
        coefficients=(1 - middle, middle),
        method=MergeMethod.SLERP,
        parameters={"t": middle},
        gradients=() if same else _list_gradients(by_matrix),
        by_tensor=not same,
        residual=fit.residual,
    )


def _find_share(
    first: NDArray[np.float64], second: NDArray[np.float64], one: float, two: float
) -> float:
    cosine = float(first @ second / np.sqrt((first @ first) * (second @ second)))
    angle = float(np.arccos(np.clip(cosine, -1.0, 1.0)))
    if angle < 1e-6:
        return two / (one + two)
    return float(np.arctan2(two * np.sin(angle), one + two * np.cos(angle)) / angle)


def _find_base(family: AlignedFamily, fit: SpanFit) -> int:
    """The parent from which the others are least far, all together."""
    distances = {
        p: sum(
            float(((family.get_sample(p, name) - family.get_sample(o, name)) ** 2).sum())
            for o in fit.parents
            for name, tensor in family.tensors[fit.child].items()
            if tensor.is_matrix
        )
        for p in fit.parents
    }
    return min(distances, key=lambda p: (distances[p], p))


def _list_gradients(by_matrix: Mapping[str, NDArray[np.float64]]) -> tuple[tuple[float, ...], ...]:
    """Per parent its coefficient in each numbered layer; empty unless a layer has but one."""
    layers: dict[int, list[NDArray[np.float64]]] = defaultdict(list)
    for name, coefficients in by_matrix.items():
        number = LAYER.search(name)
        if number:
            layers[int(number[1])].append(coefficients)
    if len(layers) < 2 or any(np.ptp(layer, axis=0).max() > EQUAL for layer in layers.values()):
        return ()
    means = [np.mean(layers[number], axis=0) for number in sorted(layers)]
    return tuple(tuple(float(mean[place]) for mean in means) for place in range(len(means[0])))
