"""What the description inside a PyTorch file may become: inert values, never objects that act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TorchType:
    """A torch dtype by its name ("float32"), or "untyped" for a storage of plain bytes."""

    name: str


@dataclass(frozen=True, slots=True)
class StorageType:
    """The class of a storage, by the type of its values."""

    type: TorchType


@dataclass(frozen=True, slots=True)
class Storage:
    """A reference to record ``data/<key>``; ``count`` is in values (bytes for untyped ones)."""

    key: str
    type: TorchType
    count: int


@dataclass(frozen=True, slots=True)
class TensorDescription:
    """A view of a storage; ``offset`` and ``strides`` count values of ``type``."""

    storage: Storage
    type: TorchType
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnreadableTensor:
    """A tensor of a kind that has no plain values (sparse, quantised by torch, nested, ...)."""

    kind: str


@dataclass(frozen=True, slots=True)
class Global:
    """A name that the file refers to, and what stands in its place when the file "calls" it."""

    name: str
    build: Callable[[tuple[object, ...]], object]


class PickledObject:
    """A mapping or any other object, kept as the parts that the file gives it.

    Keys are never hashed nor compared and nothing is copied, so the cost of an object is what the
    file spends on it. ``pairs`` are the items set on it.
    """

    __slots__ = ("arguments", "kind", "pairs", "state")

    def __init__(self, kind: str, arguments: tuple[object, ...] = ()) -> None:
        self.kind = kind
        self.arguments = arguments
        self.state: object = None
        self.pairs: list[tuple[object, object]] | None = None

    def set_item(self, key: object, value: object) -> None:
        if self.pairs is None:
            self.pairs = []
        self.pairs.append((key, value))

    def list_pairs(self) -> list[tuple[object, object]]:
        """Items in the order in which they were set, those of the constructor's list first."""
        given: list[tuple[object, object]] = []
        if self.arguments and isinstance(self.arguments[0], list):
            given = [
                (pair[0], pair[1])
                for pair in self.arguments[0]
                if isinstance(pair, list | tuple) and len(pair) == 2
            ]
        return given + (self.pairs or [])
