"""One pass over a model's weights gives its fingerprint: pure numerics, no files of its own."""

from model_heritage_backend.fingerprints.extract import fingerprint_sampled, fingerprint_weights
from model_heritage_backend.fingerprints.fingerprint import (
    AdaptedMatrix,
    Fingerprint,
    Moments,
    TensorFingerprint,
)
from model_heritage_backend.fingerprints.structure import Structure, describe_structure

__all__ = [
    "AdaptedMatrix",
    "Fingerprint",
    "Moments",
    "Structure",
    "TensorFingerprint",
    "describe_structure",
    "fingerprint_sampled",
    "fingerprint_weights",
]
