"""Parts of the lake as exports need them: a few queries, however many models; no fingerprints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from model_heritage_backend.clustering.store import FamilyRecord
from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.claim_tables import Declaration
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.tables import Family, Model
from model_heritage_backend.models.trees import load_families


@dataclass(frozen=True, kw_only=True)
class StoredModel:
    """``licence``: what people or the file declare; ``dtypes``: values by storage type."""

    id: str
    name: str
    checksum: str
    total_parameters: int
    quality: tuple[str, ...]
    dtypes: Mapping[str, int]
    licence: str | None


@dataclass(frozen=True, kw_only=True)
class Genealogy:
    """``models`` by id: all members of the families, by id too, and models that have no family yet.

    ``updated_at``: family id -> when it was solved.
    """

    models: list[StoredModel]
    families: list[FamilyRecord]
    updated_at: Mapping[str, datetime]


class Genealogies:
    """Questions for whole genealogies, each answered from one state of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, *, family_id: str | None = None, model_id: str | None = None) -> Genealogy:
        """One family, or the one of a model, or everything.

        Raises
        ------
        NotFound
            When there is no such family or model.
        """
        families = select(Family).order_by(Family.id)
        models = (
            select(
                Model.id,
                Model.name,
                Model.checksum,
                Model.total_parameters,
                Model.quality,
                Model.dtypes,
                Declaration.licence,
            )
            .join(Declaration, Declaration.model_id == Model.id, isouter=True)
            .order_by(Model.id)
        )
        with self._database.read() as session:
            if model_id is not None:
                found = session.execute(
                    select(Model.family_id).where(Model.id == model_id)
                ).one_or_none()
                if found is None:
                    raise NotFound(f"There is no model {model_id!r}.")
                family_id = found.family_id
            if family_id is not None:
                families = families.where(Family.id == family_id)
                models = models.where(Model.family_id == family_id)
            elif model_id is not None:
                # It waits for its place, or has none.
                families = families.where(Family.id.is_(None))
                models = models.where(Model.id == model_id)
            rows = list(session.scalars(families))
            if family_id is not None and not rows:
                raise NotFound(f"There is no family {family_id!r}.")
            return Genealogy(
                models=[_build(row) for row in session.execute(models)],
                families=load_families(session, rows),
                updated_at={row.id: row.updated_at for row in rows},
            )


def _build(row: Any) -> StoredModel:
    return StoredModel(
        id=row.id,
        name=row.name,
        checksum=row.checksum,
        total_parameters=row.total_parameters,
        quality=tuple(row.quality),
        dtypes=row.dtypes,
        licence=row.licence,
    )
