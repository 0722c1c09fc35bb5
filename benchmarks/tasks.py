"""What the zoos' models learn: digits of scikit-learn, Python source of the standard library."""

from __future__ import annotations

import random
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional

from benchmarks.architectures import Architecture

CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
WORDS = (
    "    ",
    "self",
    "return",
    "the ",
    "def ",
    "if ",
    " = ",
    "None",
    "import ",
    "in ",
    "for ",
    "()",
)
"""Tokens that an extended vocabulary adds to the characters, in this order."""
STANDARD_LIBRARY = """
argparse ast bdb calendar cmd code configparser contextlib copy csv dataclasses difflib dis
doctest enum fileinput fractions ftplib functools getopt gettext glob gzip heapq imaplib inspect
ipaddress locale mailbox mimetypes optparse pdb pickle platform plistlib poplib pprint profile
pstats pydoc random selectors shlex shutil smtplib socket socketserver statistics subprocess
tarfile tempfile textwrap threading tokenize trace traceback turtle typing uuid warnings weakref
zipapp
"""
MODULES = tuple(STANDARD_LIBRARY.split())


class Task(Protocol):
    def loss(self, module: torch.nn.Module, batch: int, generator: torch.Generator) -> Tensor:
        """Mean loss of the module on a random batch."""

    def describe(self) -> dict[str, Any]:
        """JSON-ready."""


@dataclass(frozen=True, kw_only=True)
class DigitsTask:
    """Classify some of the digits, some of the images, perhaps relabelled, perhaps seen otherwise.

    ``classes`` are the digits, in the order of their labels unless not ``relabelled``: then each
    keeps its number as its label. ``turns`` are quarter turns; ``noise`` is the standard deviation
    of pixel noise; ``share`` of the images is used, chosen by ``seed``.
    """

    classes: tuple[int, ...] = tuple(range(10))
    turns: int = 0
    inverted: bool = False
    noise: float = 0.0
    share: float = 1.0
    seed: int = 0
    relabelled: bool = True

    def loss(self, module: torch.nn.Module, batch: int, generator: torch.Generator) -> Tensor:
        pixels, labels = self.draw(batch, generator)
        return functional.cross_entropy(module(pixels), labels)

    def draw(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A random batch: images and labels."""
        images, labels = _load_digits_task(self)
        chosen = torch.randint(len(images), (batch,), generator=generator)
        pixels = images[chosen]
        if self.noise:
            pixels = pixels + self.noise * torch.randn(pixels.shape, generator=generator)
        return pixels, labels[chosen]

    def describe(self) -> dict[str, Any]:
        return {"data": "digits", **vars(self), "classes": list(self.classes)}


@cache
def _load_images() -> tuple[Tensor, Tensor]:
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 8 - 1
    return images, torch.tensor(digits.target)


@cache
def _load_digits_task(task: DigitsTask) -> tuple[Tensor, Tensor]:
    images, digits = _load_images()
    labels = torch.full((10,), -1)
    labels[list(task.classes)] = (
        torch.arange(len(task.classes)) if task.relabelled else torch.tensor(task.classes)
    )
    kept = torch.rand(len(images), generator=torch.Generator().manual_seed(task.seed)) < task.share
    kept &= labels[digits] >= 0
    images = torch.rot90(images[kept], task.turns, (2, 3))
    return -images if task.inverted else images, labels[digits[kept]]


@dataclass(frozen=True, kw_only=True)
class TextTask:
    """Predict the next token of the source of some standard library modules.

    ``words`` is the number of WORDS that the vocabulary has beyond the characters.
    """

    modules: tuple[str, ...]
    words: int = 0
    context: int = 48

    def loss(self, module: torch.nn.Module, batch: int, generator: torch.Generator) -> Tensor:
        text, following = self.draw(batch, generator)
        logits: Tensor = module(text)
        return functional.cross_entropy(logits.flatten(0, 1), following.flatten())

    def draw(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A random batch: tokens, and the token that follows each."""
        tokens = _load_tokens(self.modules, self.words)
        starts = torch.randint(len(tokens) - self.context, (batch, 1), generator=generator)
        text = tokens[starts + torch.arange(self.context + 1)]
        return text[:, :-1], text[:, 1:]

    def describe(self) -> dict[str, Any]:
        return {"data": "text", "modules": list(self.modules), "words": self.words}


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """Answer as the ``teacher`` does on the inputs of a task: its probabilities are the aim."""

    task: DigitsTask | TextTask
    teacher: torch.nn.Module

    def loss(self, module: torch.nn.Module, batch: int, generator: torch.Generator) -> Tensor:
        inputs, _ = self.task.draw(batch, generator)
        with torch.no_grad():
            aim = self.teacher(inputs).softmax(-1)
        return functional.cross_entropy(module(inputs).flatten(0, -2), aim.flatten(0, -2))

    def describe(self) -> dict[str, Any]:
        return {"distilled": True, **self.task.describe()}


@cache
def _load_source(module: str) -> str:
    path = Path(sysconfig.get_path("stdlib")) / f"{module}.py"
    return path.read_text(encoding="utf-8")[:60_000]


@cache
def _load_tokens(modules: tuple[str, ...], words: int) -> Tensor:
    text = "".join(_load_source(module) for module in modules)
    known = set(CHARACTERS)
    kept = "".join(c for c in text if c in known)
    # Words become single characters from a private area, so that the rest stays one lookup.
    for index, word in enumerate(WORDS[:words]):
        kept = kept.replace(word, chr(0xE000 + index))
    numbers = {c: i for i, c in enumerate(CHARACTERS)}
    numbers |= {chr(0xE000 + i): len(CHARACTERS) + i for i in range(words)}
    return torch.tensor([numbers[c] for c in kept])


def draw_task(
    architecture: Architecture, rng: random.Random, *, classes: int | None = None
) -> DigitsTask | TextTask:
    """A random task that fits the architecture's outputs.

    ``classes`` limits a digits task to so many digits even where the head has more outputs.
    """
    if architecture.kind.reads_text:
        return TextTask(
            modules=tuple(rng.sample(MODULES, rng.randint(1, 3))),
            words=architecture.outputs - len(CHARACTERS),
            context=architecture.context,
        )
    return DigitsTask(
        classes=tuple(rng.sample(range(10), classes or architecture.outputs)),
        turns=rng.choice((0, 0, 0, 1, 2, 3)),
        inverted=rng.random() < 0.2,
        noise=rng.choice((0.0, 0.0, 0.2, 0.5)),
        share=rng.uniform(0.3, 1.0),
        seed=rng.getrandbits(31),
    )


def general_task(architecture: Architecture, rng: random.Random) -> DigitsTask | TextTask:
    """What a root is trained on: all images, or a long text."""
    if architecture.kind.reads_text:
        return TextTask(modules=tuple(rng.sample(MODULES, 12)), context=architecture.context)
    return DigitsTask(classes=tuple(range(architecture.outputs)))
