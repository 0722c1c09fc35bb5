"""The edges of one family without their evidence, for questions that run along them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from model_heritage_backend.clustering.descent import Link
from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.claim_tables import Declaration
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.tables import Family, GhostRow, Model, Parentage


@dataclass(frozen=True)
class GhostKin:
    """A possible missing ancestor: ``parent`` is a model or another ghost, None above all."""

    id: str
    children: tuple[str, ...]
    confidence: float
    parent: str | None


@dataclass(frozen=True)
class RunnerUp:
    """The second-best parent of a model and its probability, in [0, 1]."""

    parent: str
    probability: float


@dataclass(frozen=True)
class FamilyLinks:
    """A model's family. ``names``: of all members; ``licences``: as declared, of those that have
    one; ``runners_up``: by child."""

    model_id: str
    family_id: str | None
    root_id: str | None
    names: Mapping[str, str]
    licences: Mapping[str, str]
    links: Sequence[Link]
    ghosts: Sequence[GhostKin]
    runners_up: Mapping[str, RunnerUp]


class AllLinks:
    """Families, as questions about what descends from what need them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, model_id: str) -> FamilyLinks:
        """The family of a model; of one that has no place yet, the model alone.

        Raises
        ------
        NotFound
        """
        with self._database.read() as session:
            model = session.get(Model, model_id)
            if model is None:
                raise NotFound(f"There is no model {model_id!r}.")
            family = None if model.family_id is None else session.get(Family, model.family_id)
            inside = Model.id == model_id if family is None else Model.family_id == family.id
            names, licences = {}, {}
            for row in session.execute(
                select(Model.id, Model.name, Declaration.licence)
                .join(Declaration, Declaration.model_id == Model.id, isouter=True)
                .where(inside)
            ):
                names[row.id] = row.name
                if row.licence is not None:
                    licences[row.id] = row.licence
            links, runners_up = [], {}
            for edge in session.execute(
                select(
                    Parentage.parent_id,
                    Parentage.child_id,
                    Parentage.relation,
                    Parentage.confidence,
                    Parentage.is_main,
                    Parentage.evidence["runner_up"].as_string().label("runner_up"),
                    Parentage.evidence["margin"].as_float().label("margin"),
                ).where(Parentage.family_id == model.family_id)
            ):
                links.append(
                    Link(
                        edge.parent_id, edge.child_id, edge.relation, edge.confidence, edge.is_main
                    )
                )
                if edge.is_main and edge.runner_up is not None and edge.margin is not None:
                    chance = min(max(edge.confidence - edge.margin, 0.0), 1.0)
                    runners_up[edge.child_id] = RunnerUp(edge.runner_up, chance)
            ghosts = [
                GhostKin(row.id, tuple(row.children), row.confidence, row.parent_id)
                for row in session.scalars(
                    select(GhostRow)
                    .where(GhostRow.family_id == model.family_id)
                    .order_by(GhostRow.id)
                )
            ]
            return FamilyLinks(
                model_id=model_id,
                family_id=model.family_id,
                root_id=None if family is None else family.root_id,
                names=names,
                licences=licences,
                links=links,
                ghosts=ghosts,
                runners_up=runners_up,
            )
