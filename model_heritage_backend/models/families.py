"""Families with their statistics: counted from the rows whenever they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from model_heritage_backend.clustering.genealogy import get_threshold
from model_heritage_backend.clustering.store import Change
from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.folding import fold
from model_heritage_backend.models.paging import Order, both_ways, decode_cursor, encode_cursor
from model_heritage_backend.models.revisions import record_revisions
from model_heritage_backend.models.tables import Family, Model, Parentage
from model_heritage_backend.models.trees import in_batches, load_families, name_family


@dataclass(frozen=True)
class FamilyPage:
    families: list[dict[str, Any]]
    total: int
    next_cursor: str | None


_sizes = (
    select(Model.family_id, func.count().label("size"))
    .where(Model.family_id.is_not(None))
    .group_by(Model.family_id)
    .subquery()
)
_root = aliased(Model)
# Asked when the query runs: the threshold is a setting.
_threshold: ColumnElement[float] = bindparam(None, callable_=get_threshold, type_=Float)
_guessed = case((Parentage.confidence < _threshold, 1), else_=0)
_edges = (
    select(
        Parentage.family_id,
        func.sum(_guessed, type_=Integer).label("unresolved"),
        func.avg(Parentage.confidence, type_=Float).label("confidence"),
        func.avg(Parentage.distance, type_=Float).label("distance"),
    )
    .where(Parentage.is_main)
    .group_by(Parentage.family_id)
    .subquery()
)


def _select_depths() -> Any:
    """The generations below the tops of each family, by main edges."""
    above = aliased(Parentage)
    top = (
        ~select(above.child_id).where(above.child_id == Parentage.parent_id, above.is_main).exists()
    )
    lines = (
        select(Parentage.family_id, Parentage.child_id, literal(1).label("depth"))
        .where(Parentage.is_main, top)
        .cte(recursive=True)
    )
    below = aliased(Parentage)
    lines = lines.union_all(
        select(below.family_id, below.child_id, lines.c.depth + 1)
        .join(lines, below.parent_id == lines.c.child_id)
        .where(below.is_main)
    )
    deepest = func.max(lines.c.depth, type_=Integer).label("depth")
    return select(lines.c.family_id, deepest).group_by(lines.c.family_id).subquery()


_depths = _select_depths()
_unresolved = func.coalesce(_edges.c.unresolved, 0, type_=Integer)
_depth = func.coalesce(_depths.c.depth, 0, type_=Integer)
SORTS: Mapping[str, Order] = {
    **both_ways("size", Order(func.coalesce(_sizes.c.size, 0), int, id=Family.id)),
    **both_ways("name", Order(_root.name_folded, str, nullable=True, id=Family.id)),
    **both_ways("created_at", Order(Family.created_at, datetime, id=Family.id)),
    **both_ways("updated_at", Order(Family.updated_at, datetime, id=Family.id)),
    **both_ways("depth", Order(_depth, int, id=Family.id)),
    **both_ways("unresolved", Order(_unresolved, int, id=Family.id)),
    **both_ways("confidence", Order(_edges.c.confidence, float, nullable=True, id=Family.id)),
    **both_ways("distance", Order(_edges.c.distance, float, nullable=True, id=Family.id)),
}
_NEEDS_EDGES = frozenset({"unresolved", "confidence", "distance"})


class Families:
    """What is known of families, without their trees."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, family_id: str) -> dict[str, Any]:
        """Raises NotFound."""
        with self._database.read() as session:
            family = session.get(Family, family_id)
            if family is None:
                raise NotFound(f"There is no family {family_id!r}.")
            return _describe(session, [family])[0]

    def rename(self, family_id: str, name: str | None, change: Change) -> None:
        """Give a family a name of its own, or take it away. Raises NotFound."""
        with self._database.write() as session:
            family = session.get(Family, family_id)
            if family is None:
                raise NotFound(f"There is no family {family_id!r}.")
            family.given_name, family.updated_at = name, now()
            session.flush()
            tree = load_families(session, [family])[0].tree
            record_revisions(session, {family_id: tree.members}, {family_id: tree}, change)

    def list_page(
        self,
        *,
        search: str = "",
        sort: str = "-size",
        limit: int = 200,
        cursor: str | None = None,
    ) -> FamilyPage:
        """Families whose own or root's name contains ``search``, in any case; by keyset."""
        order = SORTS[sort]
        query = _join_measures(_select_families(search), sort.lstrip("-"))
        query = query.add_columns(order.column.label("place"))
        with self._database.read() as session:
            total = session.scalar(
                select(func.count()).select_from(_select_families(search).subquery())
            )
            if cursor is not None:
                value, family_id = decode_cursor(sort, cursor, order.kind, nullable=order.nullable)
                query = query.where(order.follows(value, family_id))
            rows = session.execute(query.order_by(*order.clauses).limit(limit + 1)).all()
            more, rows = len(rows) > limit, rows[:limit]
            following = None
            if more:
                following = encode_cursor(sort, rows[-1].place, rows[-1][0].id)
            return FamilyPage(_describe(session, [row[0] for row in rows]), total or 0, following)

    def list_largest(self, limit: int) -> list[dict[str, Any]]:
        return self.list_page(limit=limit).families


def _select_families(search: str) -> Select[Any]:
    query: Select[Any] = (
        select(Family)
        .join(_sizes, _sizes.c.family_id == Family.id, isouter=True)
        .join(_root, _root.id == Family.root_id, isouter=True)
    )
    if not search:
        return query
    of_root = _root.name_folded.contains(fold(search), autoescape=True)
    return query.where(or_(of_root, Family.given_name.icontains(search, autoescape=True)))


def _join_measures(query: Select[Any], key: str) -> Select[Any]:
    """With what the order needs beyond the rows of families: a look at all edges."""
    if key in _NEEDS_EDGES:
        return query.join(_edges, _edges.c.family_id == Family.id, isouter=True)
    if key == "depth":
        return query.join(_depths, _depths.c.family_id == Family.id, isouter=True)
    return query


def _describe(session: Session, families: Sequence[Family]) -> list[dict[str, Any]]:
    """In the order given; summed up by the database, but for the depths."""
    found: dict[str, dict[str, Any]] = {family.id: {} for family in families}
    for ids in in_batches(found):
        for query in (_sum_up_members(ids), _sum_up_edges(ids), _count_leaves(ids)):
            for row in session.execute(query):
                found[row.family_id] |= row._mapping
        for family_id, depth in _measure_depths(session, ids).items():
            found[family_id]["depth"] = depth
    roots = {family.root_id for family in families if family.root_id is not None}
    names: dict[str, str] = {}
    for ids in in_batches(roots):
        names |= dict(session.execute(select(Model.id, Model.name).where(Model.id.in_(ids))).all())
    return [_summarise(family, found[family.id], names) for family in families]


def _sum_up_members(family_ids: Sequence[str]) -> Select[Any]:
    family_id: Any = Model.family_id
    return (
        select(
            family_id,
            func.count().label("size"),
            func.sum(Model.total_parameters).label("total_parameters"),
        )
        .where(family_id.in_(family_ids))
        .group_by(family_id)
    )


def _sum_up_edges(family_ids: Sequence[str]) -> Select[Any]:
    return (
        select(
            Parentage.family_id,
            func.sum(_guessed).label("unresolved_count"),
            func.avg(Parentage.confidence).label("mean_confidence"),
            func.avg(Parentage.distance).label("avg_intra_distance"),
            func.max(Parentage.distance).label("diameter"),
        )
        .where(Parentage.family_id.in_(family_ids), Parentage.is_main)
        .group_by(Parentage.family_id)
    )


def _count_leaves(family_ids: Sequence[str]) -> Select[Any]:
    children = select(Parentage.child_id).where(Parentage.parent_id == Model.id)
    family_id: Any = Model.family_id
    return (
        select(family_id, func.count().label("leaf_count"))
        .where(family_id.in_(family_ids), ~children.exists())
        .group_by(family_id)
    )


def _measure_depths(session: Session, family_ids: Sequence[str]) -> dict[str, int]:
    """The number of steps from a root to the farthest model, by main edges."""
    parents: dict[str, str] = {}
    family: dict[str, str] = {}
    for row in session.execute(
        select(Parentage.child_id, Parentage.parent_id, Parentage.family_id).where(
            Parentage.family_id.in_(family_ids), Parentage.is_main
        )
    ):
        parents[row.child_id], family[row.child_id] = row.parent_id, row.family_id
    depths: dict[str, int] = {}
    deepest: dict[str, int] = {}
    for member in parents:
        line = [member]
        while line[-1] in parents and line[-1] not in depths:
            line.append(parents[line[-1]])
        depth = depths.get(line[-1], 0)
        for above in reversed(line[:-1]):
            depth += 1
            depths[above] = depth
        deepest[family[member]] = max(deepest.get(family[member], 0), depths[member])
    return deepest


def _summarise(
    family: Family, found: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    root_id = family.root_id if family.root_id in names else None
    return {
        "id": family.id,
        "name": name_family(family.root_id, names, family.given_name),
        "given_name": family.given_name,
        "size": found.get("size", 0),
        "root_id": root_id,
        "root_name": names[root_id] if root_id else None,
        "root_confidence": family.root_confidence,
        "depth": found.get("depth", 0),
        "leaf_count": found.get("leaf_count", 0),
        "unresolved_count": found.get("unresolved_count", 0),
        "mean_confidence": found.get("mean_confidence"),
        "avg_intra_distance": found.get("avg_intra_distance"),
        "diameter": found.get("diameter"),
        "total_parameters": int(found.get("total_parameters", 0)),
        "method": family.method,
        "ghost_limit": family.ghost_limit,
        "created_at": family.created_at,
        "updated_at": family.updated_at,
    }
