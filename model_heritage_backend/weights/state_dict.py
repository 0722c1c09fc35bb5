"""Where in a PyTorch file's content the weights are: the mapping from names to tensors."""

from __future__ import annotations

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import check_name, quote
from model_heritage_backend.weights.pickled_values import (
    PickledObject,
    TensorDescription,
    UnreadableTensor,
)

# Where training programs put the weights, the likelier first. An optimizer's tensors are none.
PLACES = (
    "state_dict", "model_state_dict", "model_state", "model", "module", "network", "net", "params",
    "parameters", "weights", "ema", "model_ema", "ema_state_dict", "params_ema",
)  # fmt: skip
DEEPEST = 2
SHOWN = 6


def find_state_dict(content: object, limits: Limits) -> dict[str, TensorDescription]:
    """The tensors of the mapping that holds most of them: the content or one at a known place.

    Raises
    ------
    InvalidWeights
        When there is no such mapping, when the file holds a whole model object, or when a tensor
        of the mapping is named twice or is of a kind that cannot be read.
    """
    if not isinstance(content, PickledObject):
        raise InvalidWeights("The file holds no mapping from names to tensors.")
    candidates = _list_candidates(content)
    best = max(candidates, key=_count_tensors)
    if _count_tensors(best) == 0:
        raise InvalidWeights(_explain_absence(content, candidates))
    return _collect(best, limits)


def _list_candidates(content: PickledObject) -> list[PickledObject]:
    """The content and the mappings at known places in it, outer ones first, each once."""
    found, level = [content], [content]
    for _ in range(DEEPEST):
        deeper: list[PickledObject] = []
        for outer in level:
            # The last value of a key counts, as in a real dict.
            inner = {key: value for key, value in outer.list_pairs() if isinstance(key, str)}
            for place in PLACES:
                value = inner.get(place)
                # A file may refer to one object at every place: look at it once.
                if isinstance(value, PickledObject) and value not in found:
                    found.append(value)
                    deeper.append(value)
        level = deeper
    return found


def _count_tensors(mapping: PickledObject) -> int:
    return sum(
        isinstance(key, str) and isinstance(value, TensorDescription | UnreadableTensor)
        for key, value in mapping.list_pairs()
    )


def _collect(mapping: PickledObject, limits: Limits) -> dict[str, TensorDescription]:
    tensors: dict[str, TensorDescription] = {}
    for key, value in mapping.list_pairs():
        if not isinstance(key, str):
            continue
        if isinstance(value, UnreadableTensor):
            raise InvalidWeights(f"Tensor {quote(key)} is {value.kind}, which cannot be read yet.")
        if not isinstance(value, TensorDescription):
            continue
        if key in tensors:
            raise InvalidWeights(f"The file names the tensor {quote(key)} twice.")
        if len(tensors) == limits.tensors:
            raise InvalidWeights(f"The file holds more than {limits.tensors:,} tensors.")
        tensors[check_name(key, limits)] = value
    return tensors


def _explain_absence(content: PickledObject, candidates: list[PickledObject]) -> str:
    if any(_is_module(candidate) for candidate in candidates):
        return (
            "The file holds a whole model object, which only its own program can load. Save the "
            "weights alone: torch.save(model.state_dict(), path)."
        )
    keys = [quote(key) for key, _ in content.list_pairs() if isinstance(key, str)]
    shown = ", ".join(keys[:SHOWN]) + (", …" if len(keys) > SHOWN else "")
    return (
        "The file holds no mapping from names to tensors"
        + (f" (its entries are {shown})" if keys else "")
        + ". Save the weights alone: torch.save(model.state_dict(), path)."
    )


def _is_module(candidate: PickledObject) -> bool:
    """Whether the object was an nn.Module: those keep their parameters in ``_parameters``."""
    state = candidate.state
    return isinstance(state, PickledObject) and any(
        key == "_parameters" for key, _ in state.list_pairs()
    )
