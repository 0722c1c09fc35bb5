"""What people state about models: confirmed and forbidden parents, roots, families that are none.

A statement is what one person said; ``Knowledge`` is what several of them mean together. Where what
is stated cannot hold in one tree, ``parts`` cuts the tree; nothing here contradicts the weights.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property


class Kind(StrEnum):
    """What is stated.

    CONFIRM : ``parent`` is the (main) parent of ``model``, whatever the weights say
    FORBID : it is not
    ROOT : ``model`` descends from no other
    SPLIT : none of ``models`` is related to any of ``others``
    """

    CONFIRM = "confirm"
    FORBID = "forbid"
    ROOT = "root"
    SPLIT = "split"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One person's word. ``parent`` is of CONFIRM and FORBID, the two sets are of SPLIT alone."""

    id: str
    kind: Kind
    author: str
    reason: str = ""
    created_at: datetime | None = None
    model: str | None = None
    parent: str | None = None
    models: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.kind is Kind.SPLIT:
            complete = bool(self.models and self.others) and not self.models & self.others
        else:
            complete = self.model is not None and self.model != self.parent
            complete &= (self.parent is None) == (self.kind is Kind.ROOT)
        if not complete:
            raise ValueError(f"the statement {self.id} does not say what it must")

    @property
    def mentioned(self) -> frozenset[str]:
        """Ids of all models that it is about."""
        named = {name for name in (self.model, self.parent) if name is not None}
        return frozenset(named | self.models | self.others)

    @property
    def joins_or_splits(self) -> bool:
        """Whether it decides who is one family; others move edges within."""
        return self.kind in (Kind.CONFIRM, Kind.SPLIT)

    @property
    def meaning(self) -> tuple[object, ...]:
        """The same for statements that say the same."""
        return self.kind, self.model, self.parent, self.models, self.others

    def without(self, model_id: str) -> Statement | None:
        """What is left of it when a model is gone."""
        if model_id not in self.mentioned:
            return self
        models, others = self.models - {model_id}, self.others - {model_id}
        if not models or not others:
            return None
        return replace(self, models=models, others=others)


@dataclass(frozen=True)
class Knowledge:
    """What statements mean together, whatever their order."""

    statements: tuple[Statement, ...] = ()

    @staticmethod
    def gather(statements: Iterable[Statement]) -> Knowledge:
        return Knowledge(tuple(sorted(statements, key=lambda statement: statement.id)))

    def __bool__(self) -> bool:
        return bool(self.statements)

    @cached_property
    def confirmed(self) -> Mapping[str, str]:
        """Child -> parent."""
        return {str(s.model): str(s.parent) for s in self.of_kind(Kind.CONFIRM)}

    @cached_property
    def authors(self) -> Mapping[str, str]:
        """Child with a confirmed parent -> who said so."""
        return {str(s.model): s.author for s in self.of_kind(Kind.CONFIRM)}

    @cached_property
    def forbidden(self) -> frozenset[tuple[str, str]]:
        """(parent, child)"""
        return frozenset((str(s.parent), str(s.model)) for s in self.of_kind(Kind.FORBID))

    @cached_property
    def roots(self) -> frozenset[str]:
        return frozenset(str(s.model) for s in self.of_kind(Kind.ROOT))

    @cached_property
    def splits(self) -> tuple[tuple[frozenset[str], ...], ...]:
        """Pairs of sets that are not related."""
        return tuple((s.models, s.others) for s in self.of_kind(Kind.SPLIT))

    def of_kind(self, kind: Kind) -> list[Statement]:
        return [statement for statement in self.statements if statement.kind is kind]

    def are_apart(self, first: str, second: str) -> bool:
        """Whether a split has two models on its two sides."""
        return any(
            (first in one and second in other) or (first in other and second in one)
            for one, other in self.splits
        )

    def among(self, members: Collection[str]) -> Knowledge:
        """What is said of these models alone."""
        return Knowledge(
            tuple(
                s
                for s in self.statements
                if s.kind is not Kind.SPLIT and all(name in members for name in s.mentioned)
            )
        )


NOTHING = Knowledge()
