"""Reading checkpoints: the only room that knows their formats."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_heritage_backend.weights.formats import is_misnamed, open_weights
    from model_heritage_backend.weights.limits import Limits
    from model_heritage_backend.weights.parts import list_parts
    from model_heritage_backend.weights.tensors import DType, LazyTensor, Weights, decode

__all__ = [
    "DType",
    "LazyTensor",
    "Limits",
    "Weights",
    "decode",
    "is_misnamed",
    "list_parts",
    "open_weights",
]
PLACES = {
    "formats": ("is_misnamed", "open_weights"),
    "limits": ("Limits",),
    "parts": ("list_parts",),
    "tensors": ("DType", "LazyTensor", "Weights", "decode"),
}


def __getattr__(name: str) -> Any:
    # Which files there are is asked much more often than what is in them, and needs no numerics.
    for module, names in PLACES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
