"""Where in a PyTorch file's content the weights are: the mapping from names to tensors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import check_name, quote
from model_heritage_backend.weights.pickled_values import (
    PickledObject,
    TensorDescription,
    UnreadableTensor,
)

# Where training programs put the weights, the likelier first.
PLACES = (
    "state_dict", "model_state_dict", "model_state", "model", "module", "network", "net", "params",
    "parameters", "weights", "generator_state_dict",
)  # fmt: skip
# Averages of the weights over training: read where there are no others.
AVERAGES = (
    "ema", "model_ema", "ema_model", "ema_state_dict", "model_ema_state_dict", "state_dict_ema",
    "params_ema", "shadow", "averaged_model",
)  # fmt: skip
# Words that tell of training, and beginnings of such words: what lies there is no network.
TRAINING = frozenset({
    "opt", "lr", "rng", "amp", "cfg", "args", "ema", "averages", "loss", "losses", "loops", "meta",
    "param", "teacher",
})  # fmt: skip
TRAINING_BEGINNINGS = (
    "optim", "sched", "scaler", "callback", "hyper", "config", "metric", "histor", "random", "adam",
)  # fmt: skip
WORDS = re.compile(r"[a-z]+")
DEEPEST = 2
SHOWN = 6
Tensor = TensorDescription | UnreadableTensor


def find_state_dict(content: object, limits: Limits) -> dict[str, TensorDescription]:
    """The tensors of the network that the content holds.

    That is the mapping with most tensors among the content and those at known places; where there
    is none, averages of the weights; else all mappings together that are not about training, such
    as an encoder and a decoder or the nested dicts of other programs, their names joined by dots.

    Raises
    ------
    InvalidWeights
        When there are no weights, when the file holds a whole model object, or when a tensor of
        the network is named twice or is of a kind that cannot be read.
    """
    if not isinstance(content, PickledObject):
        raise InvalidWeights("The file holds no mapping from names to tensors.")
    candidates = _list_candidates(content, PLACES)
    averages = _list_candidates(content, (*PLACES, *AVERAGES))
    for group in (candidates, averages):
        best = max(group, key=_count_tensors)
        if _count_tensors(best):
            return _collect(_list_tensors(best), limits)
    if _hold_module(averages):
        raise InvalidWeights(
            "The file holds a whole model object, which only its own program can load. Save the "
            "weights alone: torch.save(model.state_dict(), path)."
        )
    nested = _collect(_walk(candidates[1] if len(candidates) == 2 else content, limits), limits)
    if not nested:
        raise InvalidWeights(_explain_absence(content))
    return nested


def _list_candidates(content: PickledObject, places: tuple[str, ...]) -> list[PickledObject]:
    """The content and the mappings at these places in it, outer ones first, each once."""
    found, level = [content], [content]
    for _ in range(DEEPEST):
        deeper: list[PickledObject] = []
        for outer in level:
            # The last value of a key counts, as in a real dict.
            inner = {key: value for key, value in outer.list_pairs() if isinstance(key, str)}
            for place in places:
                value = inner.get(place)
                # A file may refer to one object at every place: look at it once.
                if isinstance(value, PickledObject) and value not in found:
                    found.append(value)
                    deeper.append(value)
        level = deeper
    return found


def _list_tensors(mapping: PickledObject) -> Iterator[tuple[str, Tensor]]:
    for key, value in mapping.list_pairs():
        if isinstance(key, str) and isinstance(value, Tensor):
            yield key, value


def _count_tensors(mapping: PickledObject) -> int:
    return sum(1 for _ in _list_tensors(mapping))


def _walk(content: PickledObject, limits: Limits) -> Iterator[tuple[str, Tensor]]:
    """Tensors of all mappings in the content that are not about training, in file order.

    Each mapping is entered once, so references to one many times over cost nothing.
    """
    seen = {id(content)}
    open_mappings = [("", iter(content.list_pairs()))]
    while open_mappings:
        prefix, items = open_mappings[-1]
        for key, value in items:
            if not isinstance(key, str):
                continue
            name = f"{prefix}{key}"
            if isinstance(value, Tensor) and prefix:
                yield name, value
            elif isinstance(value, PickledObject) and id(value) not in seen:
                if len(name) > limits.name_length or _is_about_training(key):
                    continue
                if len(open_mappings) > limits.nesting:
                    raise InvalidWeights("The weights are nested too deeply.")
                seen.add(id(value))
                open_mappings.append((name + ".", iter(value.list_pairs())))
                break
        else:
            open_mappings.pop()


def _is_about_training(key: str) -> bool:
    words = WORDS.findall(key.lower())
    return any(word in TRAINING or word.startswith(TRAINING_BEGINNINGS) for word in words)


def _collect(tensors: Iterator[tuple[str, Tensor]], limits: Limits) -> dict[str, TensorDescription]:
    found: dict[str, TensorDescription] = {}
    for name, value in tensors:
        if isinstance(value, UnreadableTensor):
            raise InvalidWeights(f"Tensor {quote(name)} is {value.kind}, which cannot be read yet.")
        if name in found:
            raise InvalidWeights(f"The file names the tensor {quote(name)} twice.")
        if len(found) == limits.tensors:
            raise InvalidWeights(f"The file holds more than {limits.tensors:,} tensors.")
        found[check_name(name, limits)] = value
    return found


def _explain_absence(content: PickledObject) -> str:
    keys = (key for key, _ in content.list_pairs() if isinstance(key, str))
    names = [quote(key) for key in islice(keys, SHOWN + 1)]
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return (
        "The file holds no mapping from names to tensors"
        + (f" (its entries are {shown})" if names else "")
        + ". Save the weights alone: torch.save(model.state_dict(), path)."
    )


def _hold_module(candidates: list[PickledObject]) -> bool:
    """Whether one was an nn.Module: those keep their parameters in ``_parameters``."""
    # By identity, as many objects may have one state.
    states = {id(c.state): c.state for c in candidates if isinstance(c.state, PickledObject)}
    return any(key == "_parameters" for state in states.values() for key, _ in state.list_pairs())
