"""What neither names nor the order of units change: where relatives hide from their routes.

Permuting units and renaming tensors leave the moments of every matrix as they are, and training
changes them little: less than what models of one shape differ by. Like routes, traits propose.
"""

from __future__ import annotations

import math

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.fingerprints import Fingerprint, TensorFingerprint

MATRICES = 16
"""At most so many of a model's are looked at."""
TRAITS = 2 * MATRICES
Traits = NDArray[np.float32]


def hash_outline(fingerprint: Fingerprint) -> int:
    """A number, >= 1, that models have in common whose matrices have the same shapes."""
    shapes = sorted(t.shape for t in fingerprint.tensors.values() if t.is_matrix)
    return (xxhash.xxh3_64_intdigest(repr(shapes)) >> 1) + 1


def measure_traits(fingerprint: Fingerprint) -> Traits:
    """Logarithms of variances and, on a like scale, kurtoses of some matrices, (TRAITS,).

    Which matrix is which is told by shape and variance alone.
    """
    found = [(t.shape, *_measure(t)) for t in fingerprint.tensors.values() if t.is_matrix]
    found.sort()
    places = np.linspace(0, len(found) - 1, min(len(found), MATRICES)).astype(int)
    traits = np.zeros(TRAITS, np.float32)
    for number, place in enumerate(places):
        traits[[number, MATRICES + number]] = found[place][1:]
    return traits


def calculate_unlikeness(traits: Traits, others: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far models of one outline are from another's traits: (models,), 0 for the same.

    Parameters
    ----------
    others : (models, TRAITS)
    """
    unlike: NDArray[np.float32] = np.abs(others - traits).mean(1)
    return unlike


def _measure(tensor: TensorFingerprint) -> tuple[float, float]:
    if tensor.moments is not None:
        variance, kurtosis = tensor.moments.variance, tensor.moments.kurtosis
    else:
        values = np.nan_to_num(tensor.sample.astype(np.float64), posinf=0.0, neginf=0.0)
        variance = float(values.var())
        fourth = float(((values - values.mean()) ** 4).mean())
        kurtosis = fourth / variance**2 - 3.0 if variance > 0.0 else 0.0
    # Weights may be anything: numbers that float32 does not hold would be no numbers any more.
    variance = min(max(variance, 1e-30), 1e30) if math.isfinite(variance) else 1.0
    kurtosis = min(max(kurtosis, -1e6), 1e6) if math.isfinite(kurtosis) else 0.0
    return math.log(variance), math.asinh(kurtosis)
