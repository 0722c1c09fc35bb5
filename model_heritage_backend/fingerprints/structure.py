"""What a file's header alone says of a model: known before a single value is read."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from model_heritage_backend.fingerprints.names import canonicalise_names, count_layers
from model_heritage_backend.weights.tensors import DType, LazyTensor


@dataclass(frozen=True, kw_only=True)
class Structure:
    """``dtypes``: number of values by storage type, or by kind of quantisation. For the rest see
    ``Fingerprint``.
    """

    total_parameters: int
    layer_count: int
    structural_hash: str
    dtypes: Mapping[str, int]


def describe_structure(weights: Mapping[str, LazyTensor]) -> Structure:
    """Counts and structural hash, equal to those of the full fingerprint."""
    canonical = canonicalise_names(weights)
    matrices = [(canonical[n], t.shape) for n, t in weights.items() if is_matrix(t.shape)]
    dtypes: Counter[str] = Counter()
    for tensor in weights.values():
        kind = tensor.quantisation
        dtypes[tensor.dtype.value if kind is None else kind.name] += tensor.size
    return Structure(
        total_parameters=sum(t.size for t in weights.values() if is_parameter(t.dtype, t.shape)),
        layer_count=count_layers(canonical.values(), len(matrices)),
        structural_hash=hash_structure(matrices),
        dtypes=dict(sorted(dtypes.items())),
    )


@lru_cache(maxsize=65_536)
def is_matrix(shape: tuple[int, ...]) -> bool:
    """Two or more dimensions, and so many values that strangers do not correlate by chance."""
    if len(shape) < 2:
        return False
    return min(shape[0], math.prod(shape[1:])) >= 2 and math.prod(shape) >= 48


def is_parameter(dtype: DType, shape: tuple[int, ...]) -> bool:
    """Floating point tensors, and integer matrices: quantised weights, but no step counters."""
    return dtype.is_floating or is_matrix(shape)


def hash_structure(matrices: Iterable[tuple[str, tuple[int, ...]]]) -> str:
    """SHA-256 (first 32 hex digits) of the sorted (name, shape) of the matrices."""
    shapes = sorted((name, list(shape)) for name, shape in matrices)
    return hashlib.sha256(json.dumps(shapes).encode()).hexdigest()[:32]
