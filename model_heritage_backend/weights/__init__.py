"""Reading checkpoints: the only room that knows their formats."""

from model_heritage_backend.weights.formats import is_misnamed, open_weights
from model_heritage_backend.weights.joined import list_parts
from model_heritage_backend.weights.limits import Limits
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
