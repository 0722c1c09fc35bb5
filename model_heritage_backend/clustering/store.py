"""What the engine needs from storage, as one Protocol.

Implementations: in memory (memory_store.py) and SQL (the models room).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.routes import RouteBlock
from model_heritage_backend.clustering.statements import Statement
from model_heritage_backend.fingerprints.fingerprint import Fingerprint
from model_heritage_backend.weights.tensors import Weights


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """One stored model, as far as the engine is concerned."""

    id: str
    name: str
    checksum: str
    family_id: str | None = None
    parent_id: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class FamilyRecord:
    id: str
    name: str
    tree: FamilyTree


@dataclass(frozen=True, kw_only=True)
class StoreCounts:
    """Totals. ``relations``: edges of each. ``mean_confidence``: of all edges, None without any."""

    models: int
    edges: int
    resolved: int
    relations: Mapping[str, int]
    mean_confidence: float | None
    family_sizes: Sequence[int]


class Cause(StrEnum):
    """Why a family changed."""

    UPLOAD = "upload"
    REPROCESS = "reprocess"
    DELETION = "deletion"
    CORRECTION = "correction"
    RETRACTION = "retraction"
    REBUILD = "rebuild"
    RECLUSTER = "recluster"
    NAMING = "naming"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What made families change, and what goes into the store in the same breath.

    Attributes
    ----------
    model : whose upload or deletion it was
    statement : added by CORRECTION, taken away by RETRACTION
    author, reason : whose doing it was, where people did it
    """

    cause: Cause
    model: ModelRecord | None = None
    statement: Statement | None = None
    author: str | None = None
    reason: str = ""

    @property
    def mentioned(self) -> frozenset[str]:
        """Ids of the models that a statement is about."""
        return self.statement.mentioned if self.statement else frozenset()


class HeritageStore(Protocol):
    """Models with fingerprints in; families with trees out."""

    def add_model(self, model: object) -> str:
        """Make sure a model is stored with its fingerprint and give its id.

        What may be given depends on the store: a path (memory), an id or a row (SQL). Fingerprints
        the file when that has not been done. Adding the same model twice changes nothing.
        """

    def remove_model(self, model_id: str) -> None:
        """Forget a model, its fingerprint and its edges; the caller solves its family again."""

    def get_model(self, model_id: str) -> ModelRecord:
        """Raises NotFound."""

    def list_models(self) -> Sequence[ModelRecord]:
        """Every model that has a fingerprint, by id."""

    def load_fingerprint(self, model_id: str) -> Fingerprint:
        """Raises NotFound when the model or its fingerprint is missing."""

    def open_weights(self, model_id: str) -> AbstractContextManager[Weights] | None:
        """The model's file for exact refinement; None where it is not at hand."""

    def list_candidates(self, fingerprint: Fingerprint) -> Sequence[str]:
        """Ids of the models that may be related: at least all that share a matrix's shape.

        No adapters; of an adapter all that have a matrix of a shape that it changes.
        """

    def list_likely(self, fingerprint: Fingerprint) -> Mapping[str, Sequence[str]]:
        """Family id -> members with which a model is to be compared.

        All that share a matrix's shape, or of very many those that routes propose.
        """

    def list_routes(self) -> Sequence[RouteBlock]:
        """The routes of all models but adapters, one block per structure."""

    def list_adapters(self, fingerprint: Fingerprint) -> Sequence[str]:
        """Ids of the adapters that change a matrix of a shape that this model has."""

    def get_family(self, family_id: str) -> FamilyRecord:
        """Raises NotFound."""

    def list_families(self) -> Sequence[FamilyRecord]:
        """All families, largest first, then by id."""

    def count(self) -> StoreCounts:
        """Totals over all models and families."""

    def list_solved(self) -> Mapping[str, str | None]:
        """Of all families, by id, what their trees were solved from."""

    def replace_families(
        self, replaced: Sequence[str], trees: Sequence[FamilyTree], change: Change | None = None
    ) -> list[str]:
        """Put ``trees`` in the place of the families ``replaced``, in one transaction.

        A tree takes over the id (and name) of the replaced family it shares most members with,
        ties by family id; otherwise it gets a new id. Members' family, parent and confidence are
        set. A statement of ``change`` is stored or removed in the same transaction. Returns the
        family ids, in the order of ``trees``.
        """

    def list_statements(self, models: Collection[str] | None = None) -> Sequence[Statement]:
        """What people state that concerns any of these models (None: all), oldest first.

        What was said of a model goes with it; of a split with the last model of either side.
        """

    def find_evidence(self, keys: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """Exact evidence of pairs of models, saved under keys made of both checksums: by key, of
        those that there is."""

    def save_evidence(self, key: str, evidence: Mapping[str, Any]) -> None: ...


def assign_family_ids(
    replaced: Mapping[str, Sequence[str]],
    trees: Sequence[FamilyTree],
    create: Callable[[FamilyTree], str],
    rank: Callable[[str, FamilyTree], float] = lambda _family, _tree: 0.0,
) -> list[str]:
    """Ids for new trees: a tree keeps that of the replaced family it shares most members with.

    Parameters
    ----------
    replaced : family id -> its members before
    trees : what takes their place
    create : makes an id for a tree that inherits none
    rank : of a family id for a tree, lowest first; decides where two share equally much
    """
    claims = sorted(
        (-len(set(members) & set(tree.members)), rank(family_id, tree), family_id, place)
        for place, tree in enumerate(trees)
        for family_id, members in replaced.items()
        if set(members) & set(tree.members)
    )
    given: dict[int, str] = {}
    for *_, family_id, place in claims:
        if place not in given and family_id not in given.values():
            given[place] = family_id
    return [given[place] if place in given else create(tree) for place, tree in enumerate(trees)]
