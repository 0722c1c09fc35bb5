"""The small networks of the zoos: a vision transformer, a GPT, a CNN with batch norm, an MLP.

Those of ``foreign_networks`` are only in the zoos of that name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import foreign_networks

IMAGE = 8
"""Pixels along one side of scikit-learn's digits."""


class Kind(StrEnum):
    VIT = "vit"
    GPT = "gpt"
    CNN = "cnn"
    MLP = "mlp"
    LLAMA = "llama"
    MIXTURE = "mixture"
    RECURRENT = "recurrent"
    STATE_SPACE = "state-space"
    RESNET = "resnet"
    MIXER = "mixer"

    @property
    def reads_text(self) -> bool:
        """Whether it goes over tokens, and not over images."""
        return self in TEXT


USUAL = (Kind.VIT, Kind.GPT, Kind.CNN, Kind.MLP)
FOREIGN = tuple(kind for kind in Kind if kind not in USUAL)
TEXT = (Kind.GPT, Kind.LLAMA, Kind.MIXTURE, Kind.RECURRENT, Kind.STATE_SPACE)


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network's shape: enough to build it again.

    Attributes
    ----------
    width, depth, hidden : channels, number of blocks, channels inside a block's MLP
    outputs : classes of a classifier, tokens of a GPT's vocabulary
    context : longest text of a GPT, in tokens
    tied : a GPT whose output layer is its token embedding
    initial : "uniform" (PyTorch's default) or "normal" (matrices from N(0, 0.6 / columns))
    """

    kind: Kind
    width: int
    depth: int
    hidden: int
    outputs: int
    heads: int = 4
    context: int = 48
    tied: bool = False
    initial: str = "uniform"

    def build(self, seed: int) -> nn.Module:
        """Untrained network; the same seed gives the same weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = NETWORKS[self.kind](self)
            if self.initial == "normal":
                for parameter in module.parameters():
                    if parameter.ndim >= 2:
                        nn.init.normal_(parameter, std=(0.6 / parameter[0].numel()) ** 0.5)
        return module

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Attention(nn.Module):
    """Self-attention with the three projections apart (as vision transformers store them)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            _split(layer(x), self.heads) for layer in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        output: Tensor = self.output(_join(mixed))
        return output


class FusedAttention(nn.Module):
    """Causal self-attention with one matrix for the three projections (as GPTs store them)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (_split(part, self.heads) for part in self.c_attn(x).chunk(3, dim=-1))
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        output: Tensor = self.c_proj(_join(mixed))
        return output


def _split(x: Tensor, heads: int) -> Tensor:
    batch, length, width = x.shape
    return x.view(batch, length, heads, width // heads).transpose(1, 2)


def _join(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, attention: nn.Module, width: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = attention
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        mixed: Tensor = x + self.fc2(functional.gelu(self.fc1(self.norm2(x))))
        return mixed


class VisionTransformer(nn.Module):
    """Patches of 2 x 2 pixels, a class token, learned positions."""

    patch = 2

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.embed = nn.Linear(self.patch**2, shape.width)
        self.cls_token = nn.Parameter(torch.randn(1, 1, shape.width) * 0.02)
        patches = (IMAGE // self.patch) ** 2
        self.positions = nn.Parameter(torch.randn(1, patches + 1, shape.width) * 0.02)
        self.blocks = nn.ModuleList(
            Block(Attention(shape.width, shape.heads), shape.width, shape.hidden)
            for _ in range(shape.depth)
        )
        self.norm = nn.LayerNorm(shape.width)
        self.head = nn.Linear(shape.width, shape.outputs)

    def forward(self, images: Tensor) -> Tensor:
        patches = functional.unfold(images, self.patch, stride=self.patch).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(images), -1, -1), self.embed(patches)], dim=1)
        x = x + self.positions
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(self.norm(x[:, 0]))
        return logits


class GPT(nn.Module):
    """Decoder-only transformer over characters."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.wte = nn.Embedding(shape.outputs, shape.width)
        self.wpe = nn.Embedding(shape.context, shape.width)
        nn.init.normal_(self.wte.weight, std=0.1)
        nn.init.normal_(self.wpe.weight, std=0.02)
        self.blocks = nn.ModuleList(
            Block(FusedAttention(shape.width, shape.heads), shape.width, shape.hidden)
            for _ in range(shape.depth)
        )
        self.ln_f = nn.LayerNorm(shape.width)
        if not shape.tied:
            self.lm_head = nn.Linear(shape.width, shape.outputs, bias=False)
        self.tied = shape.tied

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.wte(tokens) + self.wpe.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        weight = self.wte.weight if self.tied else self.lm_head.weight
        return functional.linear(self.ln_f(x), weight)


class ConvNet(nn.Module):
    """3 x 3 convolutions with batch norm; pooling halves the image after the first two."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        channels = [1, *(min(shape.width << i, 2 * shape.width) for i in range(shape.depth))]
        pairs = list(pairwise(channels))
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for _, b in pairs)
        side = IMAGE // 2 ** min(2, shape.depth)
        self.fc = nn.Linear(channels[-1] * side**2, shape.hidden)
        self.head = nn.Linear(shape.hidden, shape.outputs)

    def forward(self, images: Tensor) -> Tensor:
        x = images
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = functional.relu(norm(conv(x)))
            if index < 2:
                x = functional.max_pool2d(x, 2)
        logits: Tensor = self.head(functional.relu(self.fc(x.flatten(1))))
        return logits


class MLP(nn.Module):
    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        sizes = [IMAGE**2, *([shape.width] * (shape.depth - 1)), shape.hidden]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.head = nn.Linear(shape.hidden, shape.outputs)

    def forward(self, images: Tensor) -> Tensor:
        x = images.flatten(1)
        for layer in self.layers:
            x = functional.relu(layer(x))
        logits: Tensor = self.head(x)
        return logits


NETWORKS: dict[Kind, Callable[[Architecture], nn.Module]] = {
    Kind.VIT: VisionTransformer,
    Kind.GPT: GPT,
    Kind.CNN: ConvNet,
    Kind.MLP: MLP,
    Kind.LLAMA: foreign_networks.llama,
    Kind.MIXTURE: foreign_networks.mixture,
    Kind.RECURRENT: foreign_networks.recurrent,
    Kind.STATE_SPACE: foreign_networks.state_space,
    Kind.RESNET: foreign_networks.ResNet,
    Kind.MIXER: foreign_networks.Mixer,
}
HEADS = ("head.", "lm_head.")
OUTER = ("embed.", "wte.", "wpe.", "cls_token", "positions")


def is_head(name: str) -> bool:
    """Whether a parameter belongs to the output layer."""
    return name.startswith(HEADS)


def get_depth(name: str) -> float:
    """Place of a parameter in the network: -1 inputs, 0, 1, ... blocks, infinity after the last."""
    if name.startswith(OUTER):
        return -1
    return next((int(part) for part in name.split(".") if part.isdigit()), math.inf)


def list_adaptable(module: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    """Layers of the body that a low-rank adapter may be put on: at least 8 x 8."""
    return [
        layer
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv2d)
        and not is_head(name + ".")
        and min(len(layer.weight), layer.weight[0].numel()) >= 8
    ]
