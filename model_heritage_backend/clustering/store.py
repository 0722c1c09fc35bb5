"""What the engine needs from storage, as one Protocol.

Implementations: in memory (memory_store.py) and SQL (the models room).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.fingerprints.fingerprint import Fingerprint
from model_heritage_backend.weights.tensors import Weights


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """One stored model, as far as the engine is concerned."""

    id: str
    name: str
    checksum: str
    family_id: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class FamilyRecord:
    id: str
    name: str
    tree: FamilyTree


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

    def list_adapters(self, fingerprint: Fingerprint) -> Sequence[str]:
        """Ids of the adapters that change a matrix of a shape that this model has."""

    def get_family(self, family_id: str) -> FamilyRecord:
        """Raises NotFound."""

    def list_families(self) -> Sequence[FamilyRecord]:
        """All families, largest first, then by id."""

    def replace_families(self, replaced: Sequence[str], trees: Sequence[FamilyTree]) -> list[str]:
        """Put ``trees`` in the place of the families ``replaced``, in one transaction.

        A tree takes over the id (and name) of the replaced family it shares most members with,
        ties by family id; otherwise it gets a new id. Members' family, parent and confidence are
        set. Returns the family ids, in the order of ``trees``.
        """

    def find_evidence(self, key: str) -> Mapping[str, Any] | None:
        """Exact evidence of a pair of models, saved under a key made of both checksums."""

    def save_evidence(self, key: str, evidence: Mapping[str, Any]) -> None: ...


def assign_family_ids(
    replaced: Mapping[str, Sequence[str]], trees: Sequence[FamilyTree], create: Callable[[], str]
) -> list[str]:
    """Ids for new trees: a tree keeps that of the replaced family it shares most members with.

    Parameters
    ----------
    replaced : family id -> its members before
    trees : what takes their place
    create : makes an id for a tree that inherits none
    """
    claims = sorted(
        (-len(set(members) & set(tree.members)), family_id, place)
        for place, tree in enumerate(trees)
        for family_id, members in replaced.items()
        if set(members) & set(tree.members)
    )
    given: dict[int, str] = {}
    for _, family_id, place in claims:
        if place not in given and family_id not in given.values():
            given[place] = family_id
    return [given[place] if place in given else create() for place in range(len(trees))]
