"""The engine's store on SQL: implements ``clustering.store.HeritageStore``."""

from __future__ import annotations

import hashlib
import logging
import math
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.orm import Session

from model_heritage_backend.clustering.genealogy import UNRESOLVED_BELOW, FamilyTree
from model_heritage_backend.clustering.routes import RouteBlock
from model_heritage_backend.clustering.statements import Statement
from model_heritage_backend.clustering.store import (
    Cause,
    Change,
    FamilyRecord,
    ModelRecord,
    StoreCounts,
    assign_family_ids,
)
from model_heritage_backend.errors import HeritageError, NotFound
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.fingerprints.fingerprint import VERSION
from model_heritage_backend.models.claims import find_bases_again, list_keys
from model_heritage_backend.models.conflicts import settle_families
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.fingerprints import (
    FingerprintCache,
    build_fingerprint_rows,
    list_shape_keys,
    save_route,
)
from model_heritage_backend.models.revisions import record_revisions
from model_heritage_backend.models.route_index import RouteIndex
from model_heritage_backend.models.route_shard import RouteShard
from model_heritage_backend.models.statements import (
    drop_empty_splits,
    drop_statement,
    load_statements,
    save_statement,
)
from model_heritage_backend.models.tables import (
    EdgeEvidence,
    Family,
    FingerprintRow,
    GhostRow,
    MatrixShape,
    Model,
    Parentage,
    RouteRow,
)
from model_heritage_backend.models.trees import in_batches, load_families, save_tree
from model_heritage_backend.weights import open_weights
from model_heritage_backend.weights.tensors import Weights

logger = logging.getLogger(__name__)


class SqlStore:
    """Models, fingerprints and families in the database, weights in the file store.

    A stored model that waits for its turn is not seen here: it is admitted by ``add_model``, when
    the engine is asked to place it. Decoded fingerprints are kept up to ``cache_bytes``.
    """

    def __init__(self, database: Database, files: FileStore, *, cache_bytes: int) -> None:
        self._database = database
        self._files = files
        self._routes = RouteIndex(database, RouteShard(database, files.data_dir / "routes"))
        self._cache = FingerprintCache(cache_bytes)

    def add_model(self, model: object) -> str:
        """Admit a stored model, given by its id; its file is read again if it must be."""
        model_id = str(model)
        with self._database.read() as session:
            checksum = _get_model(session, model_id).checksum
            known = session.get(FingerprintRow, model_id)
            current = known is not None and known.version == VERSION
            if known is not None and current and known.admitted:
                return model_id
        if current:
            with self._database.write() as session:
                session.execute(
                    update(FingerprintRow)
                    .where(FingerprintRow.model_id == model_id)
                    .values(admitted=True)
                )
            return model_id
        self._read_file(model_id, checksum, admitted=True)
        return model_id

    def _read_file(self, model_id: str, checksum: str, *, admitted: bool) -> None:
        """Take the fingerprint from the file, in the place of any that is there."""
        with self._open(checksum) as weights:
            fingerprint = fingerprint_weights(weights, checksum=checksum)
        with self._database.write() as session:
            _get_model(session, model_id)
            session.execute(delete(FingerprintRow).where(FingerprintRow.model_id == model_id))
            session.execute(delete(MatrixShape).where(MatrixShape.model_id == model_id))
            session.execute(delete(RouteRow).where(RouteRow.model_id == model_id))
            session.add_all(build_fingerprint_rows(model_id, fingerprint, admitted=admitted))
            save_route(session, model_id, fingerprint)
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
        self._cache.drop(model_id)

    def remove_model(self, model_id: str) -> None:
        with self._database.write() as session:
            row = _get_model(session, model_id)
            session.execute(
                delete(EdgeEvidence).where(EdgeEvidence.key.contains(row.checksum, autoescape=True))
            )
            keys = list_keys(row)
            session.execute(delete(Model).where(Model.id == model_id))
            find_bases_again(session, keys)
            drop_empty_splits(session)
        self._cache.drop(model_id)

    def get_model(self, model_id: str) -> ModelRecord:
        with self._database.read() as session:
            return _build_record(_get_model(session, model_id))

    def list_models(self) -> Sequence[ModelRecord]:
        # Columns, not rows: there may be very many.
        query = (
            select(*(getattr(Model, field.name) for field in fields(ModelRecord)))
            .join(FingerprintRow)
            .where(FingerprintRow.admitted)
            .order_by(Model.id)
        )
        with self._database.read() as session:
            return [ModelRecord(**row) for row in session.execute(query).mappings()]

    def load_fingerprint(self, model_id: str) -> Fingerprint:
        found = self._cache.get(model_id)
        if found is not None:
            return found
        # Columns, not rows: families are loaded by this.
        query = (
            select(
                FingerprintRow.version, FingerprintRow.admitted, FingerprintRow.data, Model.checksum
            )
            .join(Model, Model.id == FingerprintRow.model_id)
            .where(FingerprintRow.model_id == model_id)
        )
        with self._database.read() as session:
            row = session.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"There is no fingerprint of a model {model_id!r}.")
        if row.version != VERSION:
            self._read_file(model_id, row.checksum, admitted=row.admitted)
            return self.load_fingerprint(model_id)
        fingerprint = Fingerprint.from_bytes(row.data)
        self._cache.put(model_id, fingerprint, len(row.data))
        return fingerprint

    def open_weights(self, model_id: str) -> AbstractContextManager[Weights] | None:
        query = select(Model.checksum).where(Model.id == model_id)
        with self._database.read() as session:
            checksum = session.scalar(query)
        if checksum is None:
            raise NotFound(f"There is no model {model_id!r}.")
        return self.open_file(checksum)

    def open_file(self, checksum: str) -> AbstractContextManager[Weights] | None:
        """A stored file, to be read lazily within the block; None when it is missing."""
        return self._open(checksum) if self._files.blobs.has(checksum) else None

    @contextmanager
    def _open(self, checksum: str) -> Iterator[Weights]:
        with self._files.blobs.borrow(checksum) as path, open_weights(path) as weights:
            yield weights

    def list_likely(self, fingerprint: Fingerprint) -> Mapping[str, Sequence[str]]:
        if fingerprint.is_adapter:
            return self._routes.group(self.list_candidates(fingerprint))
        return self._routes.list_likely(fingerprint)

    def list_routes(self) -> Sequence[RouteBlock]:
        return list(self._routes.iterate_blocks())

    def fill_routes(self) -> int:
        """Give a route to models that were stored before there were any; how many."""
        filled = 0
        for model_id in self._routes.list_missing():
            try:
                fingerprint = self.load_fingerprint(model_id)
            except HeritageError as error:
                logger.warning("model %s gets no route: %s", model_id, error.detail)
                continue
            with self._database.write() as session:
                known = select(RouteRow.number).where(RouteRow.model_id == model_id)
                if session.scalar(known) is None:
                    save_route(session, model_id, fingerprint)
                    filled += 1
        return filled

    def list_candidates(self, fingerprint: Fingerprint) -> Sequence[str]:
        return self._list_by_shape(list_shape_keys(fingerprint, of_adapters=False))

    def list_adapters(self, fingerprint: Fingerprint) -> Sequence[str]:
        return self._list_by_shape(list_shape_keys(fingerprint, of_adapters=True))

    def _list_by_shape(self, keys: Sequence[str]) -> Sequence[str]:
        found: set[str] = set()
        with self._database.read() as session:
            for shapes in in_batches(keys):
                found.update(
                    session.scalars(
                        select(MatrixShape.model_id)
                        .join(FingerprintRow, FingerprintRow.model_id == MatrixShape.model_id)
                        .where(MatrixShape.shape.in_(shapes), FingerprintRow.admitted)
                        .distinct()
                    )
                )
        return sorted(found)

    def get_family(self, family_id: str) -> FamilyRecord:
        with self._database.read() as session:
            family = session.get(Family, family_id)
            if family is None:
                raise NotFound(f"There is no family {family_id!r}.")
            return load_families(session, [family])[0]

    def list_families(self) -> Sequence[FamilyRecord]:
        with self._database.read() as session:
            families = load_families(session, list(session.scalars(select(Family))))
        return sorted(families, key=lambda f: (-len(f.tree.members), f.id))

    def count(self) -> StoreCounts:
        relations = select(Parentage.relation, func.count()).group_by(Parentage.relation)
        resolved = func.coalesce(func.sum(case((Parentage.confidence >= UNRESOLVED_BELOW, 1))), 0)
        sizes = select(func.count()).where(Model.family_id.is_not(None)).group_by(Model.family_id)
        admitted = select(func.count()).where(FingerprintRow.admitted)
        with self._database.read() as session:
            edges, sure, mean = session.execute(
                select(func.count(), resolved, func.avg(Parentage.confidence))
            ).one()
            return StoreCounts(
                models=session.scalar(admitted) or 0,
                edges=edges,
                resolved=sure,
                relations=dict(session.execute(relations).all()),
                mean_confidence=mean,
                family_sizes=list(session.scalars(sizes)),
            )

    def list_solved(self) -> Mapping[str, str | None]:
        with self._database.read() as session:
            query = select(Family.id, Family.solved_from)
            return dict(session.execute(query).all())

    def replace_families(
        self, replaced: Sequence[str], trees: Sequence[FamilyTree], change: Change | None = None
    ) -> list[str]:
        change = change or Change(cause=Cause.REBUILD)
        with self._database.write() as session:
            old: dict[str, list[str]] = {family_id: [] for family_id in replaced}
            for ids in in_batches(replaced):
                for family_id, member in session.execute(
                    select(Model.family_id, Model.id).where(Model.family_id.in_(ids))
                ):
                    old[str(family_id)].append(member)
            names = _FamilyIds(session, trees)
            given = assign_family_ids(old, trees, names.create, names.rank)
            _clear(session, replaced)
            for family_id, tree in zip(given, trees, strict=True):
                save_tree(session, family_id, tree)
            for ids in in_batches(set(replaced) - set(given)):
                session.execute(delete(Family).where(Family.id.in_(ids)))
            former = [member for members in old.values() for member in members]
            settle_families(session, [*former, *(m for tree in trees for m in tree.members)])
            if change.statement is not None:
                if change.cause is Cause.RETRACTION:
                    drop_statement(session, change.statement.id)
                else:
                    save_statement(session, change.statement)
            record_revisions(session, old, dict(zip(given, trees, strict=True)), change)
        return given

    def list_statements(self, models: Collection[str] | None = None) -> Sequence[Statement]:
        with self._database.read() as session:
            return load_statements(session, models)

    def find_evidence(self, keys: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        with self._database.read() as session:
            for part in in_batches(keys):
                query = select(EdgeEvidence.key, EdgeEvidence.evidence).where(
                    EdgeEvidence.key.in_(part)
                )
                found.update((row.key, row.evidence) for row in session.execute(query))
        return found

    def save_evidence(self, key: str, evidence: Mapping[str, Any]) -> None:
        with self._database.write() as session:
            session.merge(EdgeEvidence(key=key, evidence=dict(evidence)))


def _get_model(session: Session, model_id: str) -> Model:
    row = session.get(Model, model_id)
    if row is None:
        raise NotFound(f"There is no model {model_id!r}.")
    return row


def _build_record(row: Model) -> ModelRecord:
    return ModelRecord(
        id=row.id,
        name=row.name,
        checksum=row.checksum,
        family_id=row.family_id,
        parent_id=row.parent_id,
        created_at=row.created_at,
    )


def _admit(session: Session, model_id: str, *, admitted: bool) -> None:
    session.execute(
        update(FingerprintRow).where(FingerprintRow.model_id == model_id).values(admitted=admitted)
    )


class _FamilyIds:
    """Ids of families: made from the member that was here first.

    A family that went up in another, or fell apart, and comes back when a statement is taken back,
    comes back under its id.
    """

    def __init__(self, session: Session, trees: Sequence[FamilyTree]) -> None:
        members = [member for tree in trees for member in tree.members]
        self._taken: set[str] = set()
        for ids in in_batches(_name_after(member) for member in members):
            self._taken.update(session.scalars(select(Family.id).where(Family.id.in_(ids))))
        found: list[tuple[datetime, str]] = []
        for ids in in_batches(members):
            rows = session.execute(select(Model.created_at, Model.id).where(Model.id.in_(ids)))
            found += [(created_at, model_id) for created_at, model_id in rows]
        self._order = {model_id: place for place, (_, model_id) in enumerate(sorted(found))}

    def create(self, tree: FamilyTree) -> str:
        names = [
            _name_after(member) for member in sorted(tree.members, key=self._order.__getitem__)
        ]
        free = next((name for name in names if name not in self._taken), None)
        name = free or f"f_{uuid.uuid4().hex[:16]}"
        self._taken.add(name)
        return name

    def rank(self, family_id: str, tree: FamilyTree) -> float:
        """How late the member came after which a family is named; infinity when it is not here."""
        places = (self._order[m] for m in tree.members if _name_after(m) == family_id)
        return min(places, default=math.inf)


def _name_after(model_id: str) -> str:
    return f"f_{hashlib.sha256(model_id.encode()).hexdigest()[:16]}"


def _clear(session: Session, family_ids: Iterable[str]) -> None:
    """Families without edges and ghosts, their members without family and parent."""
    for ids in in_batches(family_ids):
        session.execute(delete(Parentage).where(Parentage.family_id.in_(ids)))
        session.execute(delete(GhostRow).where(GhostRow.family_id.in_(ids)))
        session.execute(
            update(Model)
            .where(Model.family_id.in_(ids))
            .values(family_id=None, parent_id=None, confidence_score=None, relation=None)
        )
