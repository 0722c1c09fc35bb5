"""A store in memory: the engine on folders and files, without a server or a database."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.routes import (
    Layout,
    RouteBlock,
    encode_route,
    list_matrices,
)
from model_heritage_backend.clustering.statements import Statement
from model_heritage_backend.clustering.store import (
    Cause,
    Change,
    FamilyRecord,
    ModelRecord,
    StoreCounts,
    assign_family_ids,
)
from model_heritage_backend.errors import InvalidRequest, NotFound
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.weights import list_parts, open_weights
from model_heritage_backend.weights.tensors import Weights

HASH_BLOCK = 1 << 20


class InMemoryStore:
    """Implements ``HeritageStore``; forgets everything when it goes.

    Parameters
    ----------
    evidence : where exact evidence is kept; hand in a mapping that persists to keep it longer

    Examples
    --------
    >>> store = InMemoryStore()
    >>> model_id = store.add_model(models / "base.safetensors")
    >>> store.get_model(model_id).name
    'base'
    """

    def __init__(self, *, evidence: MutableMapping[str, Mapping[str, Any]] | None = None) -> None:
        self._evidence = {} if evidence is None else evidence
        self._names: dict[str, str] = {}
        self._paths: dict[str, Path] = {}
        self._fingerprints: dict[str, Fingerprint] = {}
        self._families: dict[str, FamilyRecord] = {}
        self._statements: dict[str, Statement] = {}
        self._next_family = 1

    def add_model(self, model: object) -> str:
        """Add a checkpoint by its path, or name one that is stored by its id; gives the id."""
        if isinstance(model, str) and model in self._fingerprints:
            return model
        if not isinstance(model, str | Path):
            raise InvalidRequest(f"A model is a path or an id, not a {type(model).__name__}.")
        path = Path(model)
        if not path.exists():
            raise NotFound(f"There is no file or model {str(model)!r}.")
        parts = list_parts(path)
        digest = name_set(parts, [hash_file(part) for part in parts])
        known = next((i for i, f in self._fingerprints.items() if f.checksum == digest), None)
        if known is not None:
            return known
        with open_weights(path) as weights:
            fingerprint = fingerprint_weights(weights, checksum=digest)
        return self.add_fingerprint(fingerprint, id=f"m_{digest[:16]}", name=path.stem, path=path)

    def add_fingerprint(
        self, fingerprint: Fingerprint, *, id: str, name: str, path: Path | None = None
    ) -> str:
        """Add a model that has been fingerprinted; ``path`` lets its edges be refined exactly."""
        self._fingerprints[id] = fingerprint
        self._names[id] = name
        if path is not None:
            self._paths[id] = path
        return id

    def remove_model(self, model_id: str) -> None:
        self.get_model(model_id)
        for table in (self._fingerprints, self._names, self._paths):
            table.pop(model_id, None)
        left = [statement.without(model_id) for statement in self._statements.values()]
        self._statements = {statement.id: statement for statement in left if statement}

    def get_model(self, model_id: str) -> ModelRecord:
        fingerprint = self.load_fingerprint(model_id)
        family = next((f.id for f in self._families.values() if model_id in f.tree.members), None)
        return ModelRecord(
            id=model_id,
            name=self._names[model_id],
            checksum=fingerprint.checksum,
            family_id=family,
        )

    def list_models(self) -> Sequence[ModelRecord]:
        families = {m: f.id for f in self._families.values() for m in f.tree.members}
        edges = [f.tree.main_edges for f in self._families.values()]
        parents = {child: edge.parent for main in edges for child, edge in main.items()}
        return [
            ModelRecord(
                id=model_id,
                name=self._names[model_id],
                checksum=self._fingerprints[model_id].checksum,
                family_id=families.get(model_id),
                parent_id=parents.get(model_id),
            )
            for model_id in sorted(self._fingerprints)
        ]

    def load_fingerprint(self, model_id: str) -> Fingerprint:
        if model_id not in self._fingerprints:
            raise NotFound(f"There is no model {model_id!r}.")
        return self._fingerprints[model_id]

    def open_weights(self, model_id: str) -> AbstractContextManager[Weights] | None:
        self.load_fingerprint(model_id)
        path = self._paths.get(model_id)
        return None if path is None else open_weights(path)

    def list_candidates(self, fingerprint: Fingerprint) -> Sequence[str]:
        shapes = fingerprint.shapes
        return [
            model_id
            for model_id, other in sorted(self._fingerprints.items())
            if not other.is_adapter and not shapes.isdisjoint(other.shapes)
        ]

    def list_likely(self, fingerprint: Fingerprint) -> Mapping[str, Sequence[str]]:
        families = {m: f.id for f in self._families.values() for m in f.tree.members}
        likely: dict[str, list[str]] = defaultdict(list)
        for model_id in self.list_candidates(fingerprint):
            if model_id in families:
                likely[families[model_id]].append(model_id)
        return likely

    def list_routes(self) -> Sequence[RouteBlock]:
        structures: dict[str, list[str]] = defaultdict(list)
        for model_id, fingerprint in sorted(self._fingerprints.items()):
            if not fingerprint.is_adapter:
                structures[fingerprint.structural_hash].append(model_id)
        blocks = []
        for structure, ids in structures.items():
            prints = [self._fingerprints[model_id] for model_id in ids]
            layout = Layout.build(structure, list_matrices(prints[0]))
            routes = np.stack([encode_route(print_) for print_ in prints])
            blocks.append(RouteBlock(layout, ids, routes, np.arange(len(ids))))
        return blocks

    def list_adapters(self, fingerprint: Fingerprint) -> Sequence[str]:
        shapes = fingerprint.shapes
        return [
            model_id
            for model_id, other in sorted(self._fingerprints.items())
            if other.is_adapter and not shapes.isdisjoint(other.shapes)
        ]

    def get_family(self, family_id: str) -> FamilyRecord:
        if family_id not in self._families:
            raise NotFound(f"There is no family {family_id!r}.")
        return self._families[family_id]

    def list_families(self) -> Sequence[FamilyRecord]:
        return sorted(self._families.values(), key=lambda f: (-len(f.tree.members), f.id))

    def count(self) -> StoreCounts:
        trees = [family.tree for family in self._families.values()]
        edges = [edge for tree in trees for edge in tree.edges]
        confidences = [edge.confidence for edge in edges]
        return StoreCounts(
            models=len(self._fingerprints),
            edges=len(edges),
            resolved=sum(edge.resolved for edge in edges),
            relations=Counter(edge.relation.value for edge in edges),
            mean_confidence=fmean(confidences) if confidences else None,
            family_sizes=[len(tree.members) for tree in trees],
        )

    def list_solved(self) -> Mapping[str, str | None]:
        return {family.id: family.tree.solved_from for family in self._families.values()}

    def replace_families(
        self, replaced: Sequence[str], trees: Sequence[FamilyTree], change: Change | None = None
    ) -> list[str]:
        old = {family_id: self._families.pop(family_id) for family_id in replaced}
        ids = assign_family_ids(
            {i: f.tree.members for i, f in old.items()}, trees, self._new_family_id
        )
        for family_id, tree in zip(ids, trees, strict=True):
            name = old[family_id].name if family_id in old else f"Family {family_id}"
            self._families[family_id] = FamilyRecord(id=family_id, name=name, tree=tree)
        if change is not None and change.statement is not None:
            if change.cause is Cause.RETRACTION:
                del self._statements[change.statement.id]
            else:
                self._statements[change.statement.id] = change.statement
        return ids

    def list_statements(self, models: Collection[str] | None = None) -> Sequence[Statement]:
        wanted = None if models is None else set(models)
        return [
            statement
            for statement in self._statements.values()
            if wanted is None or statement.mentioned & wanted
        ]

    def _new_family_id(self, _tree: FamilyTree) -> str:
        family_id = f"f_{self._next_family}"
        self._next_family += 1
        return family_id

    def find_evidence(self, keys: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        found = {key: self._evidence.get(key) for key in keys}
        return {key: evidence for key, evidence in found.items() if evidence is not None}

    def save_evidence(self, key: str, evidence: Mapping[str, Any]) -> None:
        self._evidence[key] = evidence


def name_set(parts: Sequence[Path], checksums: Sequence[str]) -> str:
    """Checksum of a checkpoint in several files, from theirs; a single file's is its own."""
    if len(parts) == 1:
        return checksums[0]
    lines = [f"{checksum}  {part.name}\n" for part, checksum in zip(parts, checksums, strict=True)]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def hash_file(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file, hex, read piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
            if progress is not None:
                progress(len(block))
    return digest.hexdigest()
