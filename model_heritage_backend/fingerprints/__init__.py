"""One pass over a model's weights gives its fingerprint: pure numerics, no files of its own."""

from model_heritage_backend.fingerprints.extract import fingerprint_sampled, fingerprint_weights
from model_heritage_backend.fingerprints.fingerprint import (
    Fingerprint,
    Moments,
    TensorFingerprint,
)

__all__ = [
    "Fingerprint",
    "Moments",
    "TensorFingerprint",
    "fingerprint_sampled",
    "fingerprint_weights",
]
