"""Where one file belongs among others: only its own family is solved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from model_heritage_backend.clustering.genealogy import Edge, FamilyTree
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.model_management import ModelManagementSystem
from model_heritage_backend.clustering.reasons import list_reasons
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import FoundFile
from model_heritage_backend.scanning.reading import Reading
from model_heritage_backend.scanning.solving import build_lake


class Answer(StrEnum):
    """FOUND: a parent, or that it is the root of its family. UNRESOLVED: only its family."""

    FOUND = "found"
    UNRESOLVED = "unresolved"
    UNRELATED = "unrelated"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a file belongs: the tree of its family, by ids of the store; None for a stranger.

    Examples
    --------
    >>> from model_heritage_backend import scan
    >>> place = scan(models).identify(models / "half.safetensors")
    >>> place.answer.value, place.parent, place.relation, place.confidence > 0.9
    ('found', 'tuned.safetensors', 'cast', True)
    """

    model_id: str
    tree: FamilyTree | None
    store: InMemoryStore

    @property
    def parents(self) -> list[Edge]:
        """The main one first."""
        edges = () if self.tree is None else self.tree.edges
        found = [edge for edge in edges if edge.child == self.model_id]
        return sorted(found, key=lambda edge: (not edge.main, edge.parent))

    @property
    def parent(self) -> str | None:
        """Name of the main parent; None for a root and for a stranger."""
        return self.name(self.parents[0].parent) if self.parents else None

    @property
    def relation(self) -> str | None:
        """Of the edge to the main parent."""
        return self.parents[0].relation.value if self.parents else None

    @property
    def confidence(self) -> float | None:
        """In that edge, in [0, 1]."""
        return self.parents[0].confidence if self.parents else None

    def __repr__(self) -> str:
        if self.confidence is None:
            return f"<Place: {self.answer}{', the root' if self.is_root else ''}>"
        sure = f"{100 * self.confidence:.0f} % sure"
        return f"<Place: {self.answer}, {self.relation} of {self.parent}, {sure}>"

    @property
    def is_root(self) -> bool:
        return self.tree is not None and self.tree.root == self.model_id

    @property
    def answer(self) -> Answer:
        if self.tree is None:
            return Answer.UNRELATED
        sure = self.parents[0].resolved if self.parents else self.is_root
        return Answer.FOUND if sure else Answer.UNRESOLVED

    def name(self, model_id: str) -> str:
        return self.store.get_model(model_id).name

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with everything that speaks for it."""
        edges = () if self.tree is None else self.tree.edges
        members = () if self.tree is None else self.tree.members
        return {
            "file": self.name(self.model_id),
            "checksum": self.store.get_model(self.model_id).checksum,
            "answer": self.answer.value,
            "is_root": self.is_root,
            "family": sorted(self.name(member) for member in members if member != self.model_id),
            "parents": [self._describe(edge) for edge in self.parents],
            "children": sorted(self.name(e.child) for e in edges if e.parent == self.model_id),
        }

    def _describe(self, edge: Edge) -> dict[str, Any]:
        second = edge.evidence.runner_up
        return {
            "name": self.name(edge.parent),
            "checksum": self.store.get_model(edge.parent).checksum,
            "main": edge.main,
            "relation": edge.relation.value,
            "confidence": edge.confidence,
            "coefficient": edge.coefficient,
            "runner_up": None if second is None else self.name(second),
            "margin": edge.evidence.margin,
            "reasons": list_reasons(edge),
        }


def place_file(
    file: FoundFile, fingerprint: Fingerprint, known: Reading, cache: ScanCache, *, exact: bool
) -> Place:
    """The place of a file among others; a copy of it among them is left out."""
    rest = [entry for entry in known.files if entry[1].checksum != fingerprint.checksum]
    lake = build_lake(Reading(files=[(file, fingerprint), *rest]), cache)
    model_id = lake.models[0].id
    system = ModelManagementSystem(lake.store, exact=exact)
    prints = {m.id: lake.store.load_fingerprint(m.id) for m in lake.store.list_models()}
    groups = system.family_clustering.cluster(prints)
    group = next(group for group in groups if model_id in group)
    tree = None
    if len(group) > 1:
        tree = system.tree_builder.solve({member: prints[member] for member in group})
    return Place(model_id=model_id, tree=tree, store=lake.store)


def compare_files(
    first: tuple[FoundFile, Fingerprint], second: tuple[FoundFile, Fingerprint], cache: ScanCache
) -> dict[str, Any]:
    """What differs between two files; see ``ModelManagementSystem.compare``."""
    lake = build_lake(Reading(files=[first, second]), cache)
    system = ModelManagementSystem(lake.store)
    system.recluster_all_models()
    # The same bytes twice are one model to the engine.
    one, two = (model.copy_of or model.id for model in lake.models)
    return system.compare(one, two)
