"""Networks that no rule or constant of the engine was made on.

A Llama (RMS norms, rotary positions, shared keys, gated MLP, no biases), a mixture of experts whose
matrices are stacked, an LSTM, a selective state space model, a ResNet and an MLP-Mixer.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional


class Shape(Protocol):
    """What a network asks of its ``architectures.Architecture``."""

    @property
    def width(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def hidden(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    @property
    def heads(self) -> int: ...


class Language(nn.Module):
    """Blocks between a token embedding and an output layer, over a sequence of tokens."""

    def __init__(self, shape: Shape, blocks: list[nn.Module], norm: nn.Module) -> None:
        super().__init__()
        self.wte = nn.Embedding(shape.outputs, shape.width)
        nn.init.normal_(self.wte.weight, std=0.1)
        self.layers = nn.ModuleList(blocks)
        self.norm = norm
        self.lm_head = nn.Linear(shape.width, shape.outputs, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.wte(tokens)
        for layer in self.layers:
            x = x + layer(x)
        logits: Tensor = self.lm_head(self.norm(x))
        return logits


def llama(shape: Shape) -> nn.Module:
    blocks = [
        part
        for _ in range(shape.depth)
        for part in (
            GroupedAttention(shape.width, shape.heads),
            GatedMLP(shape.width, shape.hidden),
        )
    ]
    return Language(shape, blocks, nn.RMSNorm(shape.width))


def mixture(shape: Shape) -> nn.Module:
    blocks = [
        part
        for _ in range(shape.depth)
        for part in (
            GroupedAttention(shape.width, shape.heads),
            Experts(shape.width, shape.hidden // 2),
        )
    ]
    return Language(shape, blocks, nn.RMSNorm(shape.width))


def recurrent(shape: Shape) -> nn.Module:
    blocks: list[nn.Module] = [Recurrent(shape.width) for _ in range(shape.depth)]
    return Language(shape, blocks, nn.LayerNorm(shape.width))


def state_space(shape: Shape) -> nn.Module:
    blocks: list[nn.Module] = [Selective(shape.width) for _ in range(shape.depth)]
    return Language(shape, blocks, nn.RMSNorm(shape.width))


class GroupedAttention(nn.Module):
    """Causal attention whose keys and values are half as many as its queries; rotary positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.input_layernorm = nn.RMSNorm(width)
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width // 2, bias=False)
        self.v_proj = nn.Linear(width, width // 2, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.input_layernorm(x)
        query, key = (_turn(self._split(part(x))) for part in (self.q_proj, self.k_proj))
        value = self._split(self.v_proj(x))
        mixed = functional.scaled_dot_product_attention(
            query, key, value, is_causal=True, enable_gqa=True
        )
        output: Tensor = self.o_proj(mixed.transpose(1, 2).flatten(2))
        return output

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.size)).transpose(1, 2)


def _turn(x: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021), halves of a head as pairs."""
    *_, length, size = x.shape
    rates = 1e4 ** -(torch.arange(size // 2) * 2 / size)
    angles = torch.outer(torch.arange(length), rates)
    left, right = x.chunk(2, dim=-1)
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat([left * cosine - right * sine, left * sine + right * cosine], dim=-1)


class GatedMLP(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.post_attention_layernorm = nn.RMSNorm(width)
        self.gate_proj = nn.Linear(width, hidden, bias=False)
        self.up_proj = nn.Linear(width, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.post_attention_layernorm(x)
        mixed: Tensor = self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return mixed


class Experts(nn.Module):
    """Four experts in two stacked tensors, and a router that weighs the best two of them."""

    count = 4

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(width)
        self.router = nn.Linear(width, self.count, bias=False)
        self.up = nn.Parameter(torch.randn(self.count, width, hidden) / width**0.5)
        self.down = nn.Parameter(torch.randn(self.count, hidden, width) / hidden**0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        best = self.router(x).topk(2, dim=-1)
        weights = torch.zeros(*x.shape[:-1], self.count)
        weights = weights.scatter(-1, best.indices, best.values.softmax(-1))
        inside = functional.gelu(torch.einsum("btw,ewh->beth", x, self.up))
        return torch.einsum("beth,ehw,bte->btw", inside, self.down, weights)


class Recurrent(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.lstm(x)[0]
        return output


class Selective(nn.Module):
    """A gated linear recurrence whose forgetting depends on the token (after Gu and Dao 2023)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = 2 * width
        self.norm = nn.RMSNorm(width)
        self.in_proj = nn.Linear(width, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, 4, groups=inner, padding=3)
        self.dt_proj = nn.Linear(inner, inner)
        self.A_log = nn.Parameter(torch.rand(inner).log())
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        value, gate = self.in_proj(self.norm(x)).chunk(2, dim=-1)
        convolved = self.conv1d(value.transpose(1, 2))[..., :length].transpose(1, 2)
        value = functional.silu(convolved)
        step = functional.softplus(self.dt_proj(value))
        kept = torch.exp(-step * self.A_log.exp())
        state = torch.zeros_like(value[:, 0])
        states = []
        for place in range(length):
            state = kept[:, place] * state + (1 - kept[:, place]) * value[:, place]
            states.append(state)
        mixed = torch.stack(states, dim=1) + self.D * value
        output: Tensor = self.out_proj(mixed * functional.silu(gate))
        return output


class ResNet(nn.Module):
    """Residual blocks with batch norm; a 1 x 1 convolution where channels change."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = [shape.width, shape.width, 2 * shape.width, 2 * shape.width]
        self.conv1 = nn.Conv2d(1, shape.width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(shape.width)
        self.layers = nn.ModuleList(
            Residual(into, out, stride=1 + (place == 1))
            for place, (into, out) in enumerate(pairwise(widths[: shape.depth + 1]))
        )
        self.head = nn.Linear(widths[shape.depth], shape.outputs)

    def forward(self, images: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(images)))
        for layer in self.layers:
            x = layer(x)
        logits: Tensor = self.head(x.mean((2, 3)))
        return logits


class Residual(nn.Module):
    def __init__(self, into: int, out: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample = nn.Sequential()
        if into != out or stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        inside = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(inside)) + self.downsample(x))


class Mixer(nn.Module):
    """MLPs over patches and over channels in turn (Tolstikhin et al. 2021); patches of 2 x 2."""

    patches = 16

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed = nn.Conv2d(1, shape.width, 2, stride=2)
        self.layers = nn.ModuleList(
            part
            for _ in range(shape.depth)
            for part in (
                Mixing(self.patches, 2 * self.patches, shape.width, across=True),
                Mixing(shape.width, shape.hidden, shape.width, across=False),
            )
        )
        self.norm = nn.LayerNorm(shape.width)
        self.head = nn.Linear(shape.width, shape.outputs)

    def forward(self, images: Tensor) -> Tensor:
        x = self.embed(images).flatten(2).transpose(1, 2)
        for layer in self.layers:
            x = x + layer(x)
        logits: Tensor = self.head(self.norm(x).mean(1))
        return logits


class Mixing(nn.Module):
    def __init__(self, size: int, hidden: int, width: int, *, across: bool) -> None:
        super().__init__()
        self.across = across
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(size, hidden)
        self.fc2 = nn.Linear(hidden, size)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        x = x.transpose(1, 2) if self.across else x
        x = self.fc2(functional.gelu(self.fc1(x)))
        return x.transpose(1, 2) if self.across else x
