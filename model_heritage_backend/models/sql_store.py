"""The engine's store on SQL: implements ``clustering.store.HeritageStore``."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from model_heritage_backend.clustering.genealogy import (
    Edge,
    Evidence,
    FamilyTree,
    Ghost,
    Relation,
)
from model_heritage_backend.clustering.store import FamilyRecord, ModelRecord, assign_family_ids
from model_heritage_backend.errors import NotFound
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.fingerprints.fingerprint import VERSION
from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.tables import (
    EdgeEvidence,
    Family,
    FingerprintRow,
    GhostRow,
    MatrixShape,
    Model,
    Parentage,
    Revision,
)
from model_heritage_backend.weights import open_weights
from model_heritage_backend.weights.tensors import Weights


class SqlStore:
    """Models, fingerprints and families in the database, weights in the file store.

    Decoded fingerprints are kept in memory up to ``cache_bytes``: they never change.
    """

    def __init__(self, database: Database, files: FileStore, *, cache_bytes: int) -> None:
        self._database = database
        self._files = files
        self._cache = _FingerprintCache(cache_bytes)

    def add_model(self, model: object) -> str:
        """Fingerprint a stored model (given by its id), if that has not been done."""
        model_id = str(model)
        with self._database.read() as session:
            row = _get_model(session, model_id)
            known = session.get(FingerprintRow, model_id)
            if known is not None and known.version == VERSION:
                return model_id
        with open_weights(self._files.get_path(row.checksum)) as weights:
            fingerprint = fingerprint_weights(weights, checksum=row.checksum)
        shapes = {_shape_key(t.shape) for t in fingerprint.tensors.values() if t.is_matrix}
        with self._database.write() as session:
            session.execute(delete(FingerprintRow).where(FingerprintRow.model_id == model_id))
            session.execute(delete(MatrixShape).where(MatrixShape.model_id == model_id))
            session.add(
                FingerprintRow(
                    model_id=model_id,
                    version=VERSION,
                    level=fingerprint.level,
                    admitted=True,
                    data=fingerprint.to_bytes(),
                )
            )
            session.add_all(MatrixShape(shape=s, model_id=model_id) for s in sorted(shapes))
            session.execute(
                update(Model)
                .where(Model.id == model_id)
                .values(
                    total_parameters=fingerprint.total_parameters,
                    layer_count=fingerprint.layer_count,
                    structural_hash=fingerprint.structural_hash,
                    quality=list(fingerprint.quality),
                )
            )
        self._cache.put(
            model_id, fingerprint, sum(t.sample.nbytes for t in fingerprint.tensors.values())
        )
        return model_id

    def remove_model(self, model_id: str) -> None:
        with self._database.write() as session:
            row = _get_model(session, model_id)
            checksum = row.checksum
            session.execute(
                delete(EdgeEvidence).where(EdgeEvidence.key.contains(checksum, autoescape=True))
            )
            session.execute(delete(Model).where(Model.id == model_id))
        self._cache.drop(model_id)

    def get_model(self, model_id: str) -> ModelRecord:
        with self._database.read() as session:
            return _record(_get_model(session, model_id))

    def list_models(self) -> Sequence[ModelRecord]:
        with self._database.read() as session:
            rows = session.scalars(select(Model).join(FingerprintRow).order_by(Model.id))
            return [_record(row) for row in rows]

    def load_fingerprint(self, model_id: str) -> Fingerprint:
        found = self._cache.get(model_id)
        if found is not None:
            return found
        with self._database.read() as session:
            row = session.get(FingerprintRow, model_id)
            if row is None:
                raise NotFound(f"There is no fingerprint of a model {model_id!r}.")
            fingerprint = Fingerprint.from_bytes(row.data)
        self._cache.put(model_id, fingerprint, len(row.data))
        return fingerprint

    def open_weights(self, model_id: str) -> AbstractContextManager[Weights] | None:
        with self._database.read() as session:
            path = self._files.get_path(_get_model(session, model_id).checksum)
        return open_weights(path) if path.is_file() else None

    def list_candidates(self, fingerprint: Fingerprint) -> Sequence[str]:
        shapes = {_shape_key(t.shape) for t in fingerprint.tensors.values() if t.is_matrix}
        with self._database.read() as session:
            return list(
                session.scalars(
                    select(MatrixShape.model_id)
                    .where(MatrixShape.shape.in_(sorted(shapes)))
                    .distinct()
                    .order_by(MatrixShape.model_id)
                )
            )

    def get_family(self, family_id: str) -> FamilyRecord:
        with self._database.read() as session:
            family = session.get(Family, family_id)
            if family is None:
                raise NotFound(f"There is no family {family_id!r}.")
            return _load_families(session, [family])[0]

    def list_families(self) -> Sequence[FamilyRecord]:
        with self._database.read() as session:
            families = _load_families(session, list(session.scalars(select(Family))))
        return sorted(families, key=lambda f: (-len(f.tree.members), f.id))

    def replace_families(self, replaced: Sequence[str], trees: Sequence[FamilyTree]) -> list[str]:
        with self._database.write() as session:
            old = {
                family_id: list(
                    session.scalars(select(Model.id).where(Model.family_id == family_id))
                )
                for family_id in replaced
            }
            ids = assign_family_ids(old, trees, lambda: f"f_{uuid.uuid4().hex[:16]}")
            members = sorted({m for tree in trees for m in tree.members}.union(*old.values()))
            before = _list_edges(session, members)
            session.execute(delete(Parentage).where(Parentage.child_id.in_(members)))
            session.execute(delete(GhostRow).where(GhostRow.family_id.in_(list(replaced))))
            session.execute(
                update(Model)
                .where(Model.id.in_(members))
                .values(parent_id=None, confidence_score=None)
            )
            for family_id, tree in zip(ids, trees, strict=True):
                _save_tree(session, family_id, tree)
            gone = sorted(set(replaced) - set(ids))
            session.execute(delete(Family).where(Family.id.in_(gone)))
            after = _list_edges(session, members)
            if before != after:
                session.add(
                    Revision(
                        families=ids,
                        added=[list(edge) for edge in sorted(after - before)],
                        removed=[list(edge) for edge in sorted(before - after)],
                    )
                )
        return ids

    def find_evidence(self, key: str) -> Mapping[str, Any] | None:
        with self._database.read() as session:
            row = session.get(EdgeEvidence, key)
            return None if row is None else row.evidence

    def save_evidence(self, key: str, evidence: Mapping[str, Any]) -> None:
        with self._database.write() as session:
            session.merge(EdgeEvidence(key=key, evidence=dict(evidence)))


class _FingerprintCache:
    """Least recently used fingerprints, up to a number of bytes; used from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._entries: OrderedDict[str, tuple[Fingerprint, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, model_id: str) -> Fingerprint | None:
        with self._lock:
            if model_id not in self._entries:
                return None
            self._entries.move_to_end(model_id)
            return self._entries[model_id][0]

    def put(self, model_id: str, fingerprint: Fingerprint, size: int) -> None:
        with self._lock:
            self._drop(model_id)
            self._entries[model_id] = (fingerprint, size)
            self._used += size
            while self._used > self._limit and self._entries:
                self._drop(next(iter(self._entries)))

    def drop(self, model_id: str) -> None:
        with self._lock:
            self._drop(model_id)

    def _drop(self, model_id: str) -> None:
        if model_id in self._entries:
            self._used -= self._entries.pop(model_id)[1]


def _get_model(session: Session, model_id: str) -> Model:
    row = session.get(Model, model_id)
    if row is None:
        raise NotFound(f"There is no model {model_id!r}.")
    return row


def _record(row: Model) -> ModelRecord:
    return ModelRecord(
        id=row.id,
        name=row.name,
        checksum=row.checksum,
        family_id=row.family_id,
        created_at=row.created_at,
    )


def _shape_key(shape: Iterable[int]) -> str:
    return "x".join(str(size) for size in shape)[:80]


def _list_edges(session: Session, members: Sequence[str]) -> set[tuple[str, str]]:
    rows = session.execute(
        select(Parentage.parent_id, Parentage.child_id).where(Parentage.child_id.in_(members))
    )
    return {(parent, child) for parent, child in rows}


def _save_tree(session: Session, family_id: str, tree: FamilyTree) -> None:
    family = session.get(Family, family_id)
    if family is None:
        family = Family(id=family_id)
        session.add(family)
    family.root_id, family.root_confidence = tree.root, tree.root_confidence
    family.method, family.updated_at = tree.method, now()
    session.flush()
    session.execute(
        update(Model).where(Model.id.in_(list(tree.members))).values(family_id=family_id)
    )
    if tree.edges:
        session.execute(insert(Parentage), [_edge_row(family_id, edge) for edge in tree.edges])
    for edge in tree.main_edges.values():
        session.execute(
            update(Model)
            .where(Model.id == edge.child)
            .values(parent_id=edge.parent, confidence_score=edge.confidence)
        )
    for ghost in tree.ghosts:
        session.add(
            GhostRow(
                family_id=family_id,
                id=ghost.id,
                children=list(ghost.children),
                confidence=ghost.confidence,
            )
        )


def _edge_row(family_id: str, edge: Edge) -> dict[str, Any]:
    return {
        "child_id": edge.child,
        "parent_id": edge.parent,
        "family_id": family_id,
        "is_main": edge.main,
        "coefficient": edge.coefficient,
        "relation": edge.relation.value,
        "distance": edge.distance,
        "confidence": edge.confidence,
        "evidence": edge.evidence.to_dict(),
    }


def load_edge(row: Parentage) -> Edge:
    """The engine's edge of a row."""
    evidence = dict(row.evidence)
    for name in ("changed", "flags"):
        evidence[name] = tuple(evidence[name])
    return Edge(
        parent=row.parent_id,
        child=row.child_id,
        main=row.is_main,
        relation=Relation(row.relation),
        coefficient=row.coefficient,
        confidence=row.confidence,
        distance=row.distance,
        evidence=Evidence(**evidence),
    )


def _load_families(session: Session, families: Sequence[Family]) -> list[FamilyRecord]:
    ids = [family.id for family in families]
    members = _group(
        session.execute(select(Model.family_id, Model).where(Model.family_id.in_(ids)))
    )
    edges = _group(
        session.execute(
            select(Parentage.family_id, Parentage)
            .where(Parentage.family_id.in_(ids))
            .order_by(Parentage.child_id, Parentage.is_main.desc(), Parentage.parent_id)
        )
    )
    ghosts = _group(
        session.execute(select(GhostRow.family_id, GhostRow).where(GhostRow.family_id.in_(ids)))
    )
    records = []
    for family in families:
        names = {row.id: row.name for row in members.get(family.id, [])}
        tree = FamilyTree(
            members=tuple(sorted(names)),
            edges=tuple(load_edge(row) for row in edges.get(family.id, [])),
            root=family.root_id if family.root_id in names else None,
            root_confidence=family.root_confidence,
            method=family.method,
            ghosts=tuple(
                Ghost(id=row.id, children=tuple(row.children), confidence=row.confidence)
                for row in ghosts.get(family.id, [])
            ),
        )
        records.append(
            FamilyRecord(id=family.id, name=name_family(family.root_id, names), tree=tree)
        )
    return records


def name_family(root_id: str | None, names: Mapping[str, str]) -> str:
    """Families are called after their root."""
    if root_id is None or root_id not in names:
        return "Family without a root"
    return f"Family of {names[root_id]}"


def _group(rows: Iterable[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for key, row in rows:
        groups.setdefault(key, []).append(row)
    return groups
