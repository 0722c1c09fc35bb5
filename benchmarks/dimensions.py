"""Hidden dimensions of the small networks: what may be permuted or scaled unseen.

Units of a hidden layer have no order, and a positive factor goes through a ReLU: many sets of
weights compute the same function. A dimension lists the places of its units in all tensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.architectures import IMAGE, Architecture, Kind
from benchmarks.training import Weights

HIDDEN, HEADS, RESIDUAL, GAIN = "permute-hidden", "permute-heads", "permute-residual", "scale"
LAYER_NORM = ("weight", "bias")
BATCH_NORM = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class Slot:
    """Unit i lies at first + i x block, ..., first + (i + 1) x block - 1 along an axis."""

    name: str
    axis: int = 0
    first: int = 0
    block: int = 1


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """``size`` units.

    ``permuted``: where they lie. ``grown`` may be multiplied by factors > 0, one per unit, when
    ``shrunk`` is divided by them. Either may be empty.
    """

    kind: str
    size: int
    permuted: tuple[Slot, ...] = ()
    grown: tuple[Slot, ...] = ()
    shrunk: tuple[Slot, ...] = ()


def permute(weights: Weights, dimension: Dimension, order: Tensor) -> Weights:
    """The same function with unit i taken from unit order[i]."""
    changed = dict(weights)
    for slot in dimension.permuted:
        places = _list_places(slot, dimension.size)
        index = torch.arange(changed[slot.name].shape[slot.axis])
        index[places.flatten()] = places[order].flatten()
        changed[slot.name] = changed[slot.name].index_select(slot.axis, index)
    return changed


def scale(weights: Weights, dimension: Dimension, factors: Tensor) -> Weights:
    """The same function, units' inputs times ``factors`` (> 0) and outputs divided by them."""
    changed = dict(weights)
    for slots, values in ((dimension.grown, factors), (dimension.shrunk, 1 / factors)):
        for slot in slots:
            value = changed[slot.name]
            along = torch.ones(value.shape[slot.axis])
            along[_list_places(slot, dimension.size)] = values[:, None].expand(-1, slot.block)
            shape = [-1 if axis == slot.axis else 1 for axis in range(value.ndim)]
            changed[slot.name] = value * along.view(shape)
    return changed


def _list_places(slot: Slot, size: int) -> Tensor:
    return slot.first + torch.arange(size * slot.block).view(size, slot.block)


def list_dimensions(shape: Architecture) -> list[Dimension]:
    """All dimensions of a network, first to last."""
    return list(LISTS[shape.kind](shape))


def _pair(name: str, axis: int = 0, first: int = 0, block: int = 1) -> tuple[Slot, Slot]:
    """Weight and bias of a layer."""
    return Slot(f"{name}.weight", axis, first, block), Slot(f"{name}.bias", axis, first, block)


def _list_mlp(shape: Architecture) -> Iterator[Dimension]:
    layers = [*(f"layers.{i}" for i in range(shape.depth)), "head"]
    for i in range(shape.depth):
        into, out = _pair(layers[i]), (Slot(f"{layers[i + 1]}.weight", 1),)
        size = shape.width if i < shape.depth - 1 else shape.hidden
        yield Dimension(kind=HIDDEN, size=size, permuted=into + out, grown=into, shrunk=out)


def _list_cnn(shape: Architecture) -> Iterator[Dimension]:
    side = IMAGE // 2 ** min(2, shape.depth)
    for i in range(shape.depth):
        last = i == shape.depth - 1
        out = (Slot("fc.weight", 1, 0, side**2) if last else Slot(f"convs.{i + 1}.weight", 1),)
        norm = tuple(Slot(f"norms.{i}.{part}") for part in BATCH_NORM)
        yield Dimension(
            kind=HIDDEN,
            size=min(shape.width << i, 2 * shape.width),
            permuted=_pair(f"convs.{i}") + norm + out,
            grown=norm[:2],
            shrunk=out,
        )
    into, out = _pair("fc"), (Slot("head.weight", 1),)
    yield Dimension(kind=HIDDEN, size=shape.hidden, permuted=into + out, grown=into, shrunk=out)


def _list_vit(shape: Architecture) -> Iterator[Dimension]:
    yield from _list_transformer(shape, last=("norm", "head"))
    stream = [*_pair("embed"), Slot("cls_token", 2), Slot("positions", 2), *_pair("norm")]
    yield _describe_residual(shape, [*stream, Slot("head.weight", 1)])


def _list_gpt(shape: Architecture) -> Iterator[Dimension]:
    yield from _list_transformer(shape, last=None if shape.tied else ("ln_f", "lm_head"))
    stream = [Slot("wte.weight", 1), Slot("wpe.weight", 1), *_pair("ln_f")]
    yield _describe_residual(shape, stream if shape.tied else [*stream, Slot("lm_head.weight", 1)])


def _list_transformer(shape: Architecture, *, last: tuple[str, str] | None) -> Iterator[Dimension]:
    """Dimensions inside the blocks, and the gain of the norm before the output layer."""
    width = shape.width
    for block in (f"blocks.{i}" for i in range(shape.depth)):
        query, key, value, output = _list_attention(shape, block)
        heads = tuple(
            Slot(slot.name, slot.axis, slot.first, width // shape.heads)
            for slot in (*query, *key, *value, output)
        )
        hidden = (*_pair(f"{block}.fc1"), Slot(f"{block}.fc2.weight", 1))
        inputs = tuple(
            Slot(name, 1) for name in dict.fromkeys(s[0].name for s in (query, key, value))
        )
        yield Dimension(kind=HEADS, size=shape.heads, permuted=heads)
        yield Dimension(kind=HIDDEN, size=shape.hidden, permuted=hidden)
        yield Dimension(kind=GAIN, size=width, grown=_pair(f"{block}.norm1"), shrunk=inputs)
        yield Dimension(kind=GAIN, size=width, grown=query, shrunk=key)
        yield Dimension(kind=GAIN, size=width, grown=value, shrunk=(output,))
        inputs = (Slot(f"{block}.fc1.weight", 1),)
        yield Dimension(kind=GAIN, size=width, grown=_pair(f"{block}.norm2"), shrunk=inputs)
    if last:
        norm, head = last
        shrunk = (Slot(f"{head}.weight", 1),)
        yield Dimension(kind=GAIN, size=width, grown=_pair(norm), shrunk=shrunk)


def _list_attention(
    shape: Architecture, block: str
) -> tuple[tuple[Slot, ...], tuple[Slot, ...], tuple[Slot, ...], Slot]:
    """Channels of query, key and value, and where the values enter the output."""
    name = f"{block}.attention"
    if shape.kind is Kind.VIT:
        query, key, value = (_pair(f"{name}.{part}") for part in ("query", "key", "value"))
        return query, key, value, Slot(f"{name}.output.weight", 1)
    query, key, value = (_pair(f"{name}.c_attn", 0, place * shape.width) for place in range(3))
    return query, key, value, Slot(f"{name}.c_proj.weight", 1)


def _describe_residual(shape: Architecture, stream: list[Slot]) -> Dimension:
    """The residual stream, given its places outside the blocks."""
    for block in (f"blocks.{i}" for i in range(shape.depth)):
        query, key, value, output = _list_attention(shape, block)
        inputs = dict.fromkeys(part[0].name for part in (query, key, value))
        stream += [*_pair(f"{block}.norm1"), *(Slot(name, 1) for name in inputs)]
        stream += _pair(output.name.removesuffix(".weight"))
        stream += [*_pair(f"{block}.norm2"), Slot(f"{block}.fc1.weight", 1)]
        stream += _pair(f"{block}.fc2")
    return Dimension(kind=RESIDUAL, size=shape.width, permuted=tuple(stream))


LISTS = {Kind.VIT: _list_vit, Kind.GPT: _list_gpt, Kind.CNN: _list_cnn, Kind.MLP: _list_mlp}
