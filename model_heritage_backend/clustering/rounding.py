"""Which of two neighbours came first when one of them is stored in bf16 or fp16.

Rounding adds noise to every value. Between a rounded model and what was trained on from it there is
only the step, which may be far smaller than that noise; between a model and a rounded descendant
there is at least the noise.
"""

from __future__ import annotations

import numpy as np

from model_heritage_backend.clustering.alignment import AlignedFamily, Samples

FORMATS = {"bf16": (8, -125), "fp16": (11, -13)}
"""Bits of the significand, the hidden one counted, and exponent of the smallest normal number, for
fractions in [0.5, 1)."""
BELOW_NOISE, NEAR_NOISE = 0.7, 1.5
"""Mean squares of the difference in units of rounding noise. Below the first there is no noise in
it; up to the second there is little else."""
TRAINED_ON, ROUNDED = 8.0, 4.0


def judge_rounding(family: AlignedFamily, a: int, b: int) -> float:
    """Log-odds that a is the parent, zero when both are rounded, or neither, or the step is large.

    From the samples of matrices that differ.
    """
    first, second = family.fingerprints[a], family.fingerprints[b]
    if (first.bf16 or first.fp16) == (second.bf16 or second.fp16):
        return 0.0
    rounded, sign = (first, 1.0) if first.bf16 or first.fp16 else (second, -1.0)
    bits, smallest = FORMATS["bf16" if rounded.bf16 else "fp16"]
    squares = noise = 0.0
    for shared in family.shared_matrices(a, b):
        if not shared.equal:
            stored = shared.first if rounded is first else shared.second
            squares += float(((shared.first - shared.second) ** 2).sum())
            noise += _measure_noise(stored, bits, smallest)
    if noise == 0.0 or squares > NEAR_NOISE * noise:
        return 0.0
    return sign * TRAINED_ON if squares < BELOW_NOISE * noise else -sign * ROUNDED


def _measure_noise(values: Samples, bits: int, smallest: int) -> float:
    """Expected sum of squared rounding errors: a uniform error of one unit in the last place."""
    _, exponents = np.frexp(values)
    spacing = np.ldexp(1.0, np.maximum(exponents, smallest) - bits)
    return float((spacing**2).sum()) / 12
