"""What the description inside a PyTorch file may become: inert values, never objects that act."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """A reference to stored values by their key; ``count`` is in values (bytes for untyped ones).

    ``part`` is (first, count) of the part of it that is meant: old files had views of storages.
    """

    key: str
    type: TorchType
    count: int
    part: tuple[int, int] | None = None


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

    Keys are never hashed nor compared. ``pairs`` are the items in the order in which they were set,
    those of the constructor's list first.
    """

    __slots__ = ("arguments", "kind", "pairs", "state")

    def __init__(self, kind: str, arguments: tuple[object, ...] = ()) -> None:
        self.kind = kind
        self.arguments = arguments
        self.state: object = None
        self.pairs: list[tuple[object, object]] | None = None
        if arguments and isinstance(arguments[0], list):
            self.pairs = [
                (pair[0], pair[1])
                for pair in arguments[0]
                if isinstance(pair, list | tuple) and len(pair) == 2
            ]

    def set_item(self, key: object, value: object) -> None:
        if self.pairs is None:
            self.pairs = []
        self.pairs.append((key, value))

    def list_pairs(self) -> Sequence[tuple[object, object]]:
        """The items; a key may be there twice."""
        return () if self.pairs is None else self.pairs
