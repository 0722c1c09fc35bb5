"""What is said of models, stored: by people, and where they say nothing, by the files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session

from model_heritage_backend.licences import get_licence_key
from model_heritage_backend.models.claim_tables import Declaration, ModelTag
from model_heritage_backend.models.conflicts import settle, settle_claims
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.folding import fold
from model_heritage_backend.models.tables import Model
from model_heritage_backend.models.trees import BATCH, in_batches
from model_heritage_backend.weights.claims import read_file_claims

FIELDS = ("licence", "task", "tags", "base_model")


class Claims:
    """Questions about claims, and changes of many at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, said: Mapping[str, Mapping[str, Any]]) -> None:
        """What people say, by model id; see ``declare``. Models that are gone are passed over."""
        with self._database.write() as session:
            known: list[str] = []
            for ids in in_batches(said):
                rows = session.scalars(select(Model).where(Model.id.in_(ids))).all()
                for row in rows:
                    declare(session, row, said[row.id])
                known += [row.id for row in rows]
            settle_claims(session, known)

    def read_files(self) -> int:
        """Take in what the files of models say whose claims were never read; how many there were.

        Models that were stored before claims had a table of their own are such.
        """
        unread = Model.id.not_in(select(Declaration.model_id))
        done = 0
        while True:
            with self._database.write() as session:
                rows = session.scalars(select(Model).where(unread).limit(BATCH)).all()
                for row in rows:
                    declare(session, row, {})
                settle_claims(session, [row.id for row in rows])
            done += len(rows)
            if len(rows) < BATCH:
                return done

    def list_tags(self, *, search: str, limit: int) -> list[tuple[str, int]]:
        """Tags with their numbers of models, the most frequent first."""
        count = func.count()
        query = select(func.min(ModelTag.label), count).group_by(ModelTag.tag)
        if search:
            query = query.where(ModelTag.tag.contains(fold(search), autoescape=True))
        with self._database.read() as session:
            ordered = query.order_by(count.desc(), ModelTag.tag).limit(limit)
            return [(label, number) for label, number in session.execute(ordered)]

    def find_models(self, names: Collection[str]) -> dict[str, list[str]]:
        """By id, checksum or exact name: the ids of the models that each may mean."""
        found: dict[str, list[str]] = {name: [] for name in names}
        with self._database.read() as session:
            # An id is meant before a checksum, and that before a name.
            for column in (Model.id, Model.checksum, Model.name):
                open_names = [name for name, ids in found.items() if not ids]
                for batch in in_batches(open_names):
                    query = select(column, Model.id).where(column.in_(batch)).order_by(Model.id)
                    for value, model_id in session.execute(query):
                        found[value].append(model_id)
        return found


def declare(session: Session, row: Model, said: Mapping[str, Any]) -> None:
    """Store what a person says of a model; conflicts must be settled afterwards.

    Parameters
    ----------
    row : the model, stored already
    said : of ``FIELDS`` those that the person speaks of; None or empty takes back what was said,
        and what the file says counts again
    """
    session.flush()
    file = read_file_claims(row.claims)
    known = session.get(Declaration, row.id)
    entry = known or Declaration(model_id=row.id, sources={})
    sources = dict(entry.sources)
    for field in FIELDS:
        if said.get(field):
            sources[field] = "person"
            _set(session, entry, field, said[field])
        elif field in said or sources.get(field) != "person":
            claimed = getattr(file, field)
            sources.pop(field, None)
            if claimed:
                sources[field] = "file"
            _set(session, entry, field, claimed)
    entry.sources = sources
    row.licence = None if entry.licence is None else get_licence_key(entry.licence)
    entry.base_model_id = _find_base(session, entry)
    session.add(entry)


def _set(session: Session, entry: Declaration, field: str, value: Any) -> None:
    if field == "tags":
        session.execute(delete(ModelTag).where(ModelTag.model_id == entry.model_id))
        rows = [{"tag": fold(tag), "label": tag, "model_id": entry.model_id} for tag in value or ()]
        if rows:
            session.execute(insert(ModelTag), rows)
        return
    setattr(entry, field, value)
    if field == "base_model":
        folded = None if value is None else fold(value)
        entry.base_folded = folded
        entry.base_last = None if folded is None else folded.rstrip("/").rpartition("/")[2]


def _find_base(session: Session, entry: Declaration) -> str | None:
    """The one model here that a claimed base means: by id, checksum, name, or the last part of a
    name on the hub. None when there is none, or several of that name."""
    if entry.base_folded is None:
        return None
    for condition in (
        Model.id == entry.base_folded,
        Model.checksum == entry.base_folded,
        Model.name_folded == entry.base_folded,
        Model.name_folded == entry.base_last,
    ):
        query = select(Model.id).where(condition, Model.id != entry.model_id).limit(2)
        found = session.scalars(query).all()
        if found:
            return found[0] if len(found) == 1 else None
    return None


def find_bases_again(session: Session, keys: Iterable[str]) -> None:
    """After a model came, went or was renamed: ``keys`` are the ids, checksums and folded names by
    which claims may have meant it, before and now."""
    session.flush()
    changed: list[str] = []
    for batch in in_batches(keys):
        query = select(Declaration).where(
            or_(Declaration.base_folded.in_(batch), Declaration.base_last.in_(batch))
        )
        for entry in session.scalars(query):
            found = _find_base(session, entry)
            if found != entry.base_model_id:
                entry.base_model_id = found
                changed.append(entry.model_id)
    settle(session, changed)


def list_keys(row: Model) -> tuple[str, str, str]:
    """What a claimed base model is found by."""
    return row.id, row.checksum, row.name_folded


def load_declarations(session: Session, ids: Sequence[str]) -> dict[str, Declaration]:
    query = select(Declaration).where(Declaration.model_id.in_(ids))
    return {entry.model_id: entry for entry in session.scalars(query)}


def load_tags(session: Session, ids: Sequence[str]) -> dict[str, list[str]]:
    """In the order of the alphabet."""
    tags: dict[str, list[str]] = {}
    query = select(ModelTag.model_id, ModelTag.label).where(ModelTag.model_id.in_(ids))
    for model_id, label in session.execute(query.order_by(ModelTag.tag)):
        tags.setdefault(model_id, []).append(label)
    return tags
