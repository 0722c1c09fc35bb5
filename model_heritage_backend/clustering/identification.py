"""Where a model would belong that is not stored."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.family_clustering import FamilyClusteringSystem
from model_heritage_backend.clustering.genealogy import Edge
from model_heritage_backend.clustering.lineage_answers import (
    describe_relative,
    describe_runner_up,
    list_children,
)
from model_heritage_backend.clustering.statements import Knowledge
from model_heritage_backend.clustering.store import HeritageStore
from model_heritage_backend.clustering.tree_builder import MoTHerTreeBuilder
from model_heritage_backend.clustering.visitor import VISITOR, VisitedStore

STRANGER: dict[str, Any] = {
    "family_id": None,
    "family_name": None,
    "parent_id": None,
    "relation": None,
    "confidence": None,
    "edge": None,
    "candidates": [],
    "children": [],
}


def place_visitor(
    visited: VisitedStore,
    family_ids: Collection[str],
    clustering: FamilyClusteringSystem,
    builder: MoTHerTreeBuilder,
) -> dict[str, Any]:
    """The visitor's place in the families that it would join, as ``identify`` tells it.

    Parameters
    ----------
    family_ids : that the visitor belongs to; none for a stranger
    builder : whose method and options are used, and whose pairs are read and added to
    """
    if not family_ids:
        return STRANGER | {"candidates": [], "children": []}
    store: HeritageStore = visited
    families = [store.get_family(family_id) for family_id in sorted(family_ids)]
    largest = max(families, key=lambda family: len(family.tree.members))
    members = {m for family in families for m in family.tree.members}
    visiting = MoTHerTreeBuilder(
        store,
        method=builder.method,
        lambda_param=builder.lambda_param,
        distance_calculator=builder.distance_calculator,
        exact=StoredEvidence(store) if builder.exact is not None else None,
        pairs=builder.pairs,
        remember=builder.remember,
        watch=builder.watch,
    )
    prints = {m: store.load_fingerprint(m) for m in [*members, VISITOR]}
    known = Knowledge.gather(store.list_statements(members))
    if known.splits:
        groups = clustering.cluster(prints, known=known)
        prints = {m: prints[m] for m in next(group for group in groups if VISITOR in group)}
        largest = max(families, key=lambda f: len(prints.keys() & set(f.tree.members)))
    tree = visiting.solve(prints, known=known)
    edge = tree.main_edges.get(VISITOR)
    parents = [e for e in tree.edges if e.child == VISITOR]
    return {
        "family_id": largest.id,
        "family_name": largest.name,
        "parent_id": edge.parent if edge else None,
        "relation": edge.relation.value if edge else None,
        "confidence": edge.confidence if edge else None,
        "edge": edge,
        "candidates": _list_candidates(store, parents),
        "children": list_children(store, tree, VISITOR),
    }


def _list_candidates(store: HeritageStore, parents: list[Edge]) -> list[dict[str, Any]]:
    found = [describe_relative(store, edge.parent, edge) for edge in parents]
    for edge in parents:
        second = edge.evidence.runner_up
        if second is not None and second not in {entry["id"] for entry in found}:
            found.append(describe_runner_up(store, edge, second))
    return found
