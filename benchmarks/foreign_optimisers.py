"""Optimisers that the zoos of other kinds do not use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


class Lion(torch.optim.Optimizer):
    """Steps of equal size, by the sign of a momentum (Chen et al. 2023, arXiv 2302.06675)."""

    def __init__(self, values: Iterable[nn.Parameter], rate: float, decay: float) -> None:
        super().__init__(values, {"lr": rate, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override] # no closure here
        del closure
        for group in self.param_groups:
            for value in group["params"]:
                if value.grad is None:
                    continue
                momentum: Tensor = self.state[value].setdefault("m", torch.zeros_like(value))
                value.mul_(1 - group["lr"] * group["decay"])
                direction = momentum.lerp(value.grad, 0.1).sign()
                value.sub_(direction, alpha=group["lr"])
                momentum.lerp_(value.grad, 0.01)


class Muon:
    """Orthogonal steps of matrices (Jordan 2024), AdamW at a fifth of the rate for the rest."""

    def __init__(self, values: Iterable[nn.Parameter], rate: float, decay: float) -> None:
        matrices = [value for value in values if value.ndim == 2]
        others = [value for value in values if value.ndim != 2]
        self.optimisers: list[torch.optim.Optimizer] = []
        if matrices:
            self.optimisers.append(torch.optim.Muon(matrices, lr=rate, weight_decay=decay))
        if others:
            self.optimisers.append(torch.optim.AdamW(others, lr=rate / 5, weight_decay=decay))

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [group for optimiser in self.optimisers for group in optimiser.param_groups]

    def zero_grad(self) -> None:
        for optimiser in self.optimisers:
            optimiser.zero_grad()

    def step(self) -> None:
        for optimiser in self.optimisers:
            optimiser.step()
