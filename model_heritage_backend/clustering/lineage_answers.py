"""What is told of models that have their place: lines, relatives, and totals of the lake."""

from __future__ import annotations

from typing import Any

from model_heritage_backend.clustering.comparison import compare_models
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.family_clustering import Assignment
from model_heritage_backend.clustering.genealogy import Edge, FamilyTree
from model_heritage_backend.clustering.kinship import find_kinship
from model_heritage_backend.clustering.reasons import list_reasons
from model_heritage_backend.clustering.regrouping import Replaced
from model_heritage_backend.clustering.store import HeritageStore, StoreCounts

CANDIDATES = 10
"""Families that are told of a newcomer's screens."""


def describe_place(
    store: HeritageStore, model_id: str, replaced: Replaced | None
) -> dict[str, Any]:
    """What ``process_new_model`` tells of a model; ``replaced``: what finding its place took."""
    family = store.get_family(str(store.get_model(model_id).family_id))
    edge = family.tree.main_edges.get(model_id)
    return {
        "status": "success",
        "model_id": model_id,
        "family_id": family.id,
        "family_size": len(family.tree.members),
        "merged_families": sorted(replaced.gone) if replaced else [],
        "parent_id": edge.parent if edge else None,
        "parent_confidence": edge.confidence if edge else None,
        "relation": edge.relation.value if edge else None,
        "edge": edge,
        "models_updated": replaced.size if replaced else 0,
    }


def describe_lineage(store: HeritageStore, model_id: str) -> dict[str, Any]:
    """Relatives of a model by its family's tree, as ``get_model_lineage`` tells them."""
    family_id = store.get_model(model_id).family_id
    if family_id is None:
        tree = FamilyTree(
            members=(model_id,), edges=(), root=model_id, root_confidence=1.0, method="none"
        )
    else:
        tree = store.get_family(family_id).tree
    main = tree.main_edges
    parent = main.get(model_id)
    beside = tree.get_children(parent.parent) if parent else []
    further = [edge for edge in tree.edges if edge.child == model_id and not edge.main]
    siblings = [edge for edge in beside if edge.main and edge.child != model_id]

    def list_line(members: list[str]) -> list[dict[str, Any]]:
        return [describe_relative(store, member, main.get(member)) for member in members]

    return {
        "model_id": model_id,
        "family_id": family_id,
        "parent": describe_relative(store, parent.parent, parent) if parent else None,
        "other_parents": [describe_relative(store, edge.parent, edge) for edge in further],
        "children": list_children(store, tree, model_id),
        "siblings": [describe_relative(store, edge.child, edge) for edge in siblings],
        "ancestors": list_line(tree.get_ancestors(model_id)),
        "descendants": list_line(tree.get_descendants(model_id)),
    }


def list_children(store: HeritageStore, tree: FamilyTree, model_id: str) -> list[dict[str, Any]]:
    return [describe_relative(store, edge.child, edge) for edge in tree.get_children(model_id)]


def describe_relative(store: HeritageStore, model_id: str, edge: Edge | None) -> dict[str, Any]:
    """A model as seen along an edge; an ancestor at the top has none."""
    entry: dict[str, Any] = {"id": model_id, "name": store.get_model(model_id).name}
    # A parent that people stated has no rival that was measured.
    measured = edge is not None and edge.evidence.margin is not None
    second = edge.evidence.runner_up if edge is not None and measured else None
    return entry | {
        "relation": edge.relation.value if edge else None,
        "confidence": edge.confidence if edge else None,
        "distance": edge.distance if edge else None,
        "coefficient": edge.coefficient if edge else None,
        "main": edge.main if edge else None,
        "evidence": edge.evidence.to_dict() if edge else None,
        "reasons": list_reasons(edge) if edge else [],
        "runner_up": describe_runner_up(store, edge, second) if edge and second else None,
    }


def describe_runner_up(store: HeritageStore, edge: Edge, second: str) -> dict[str, Any]:
    rest = max(edge.confidence - (edge.evidence.margin or 0.0), 0.0)
    return {"id": second, "name": store.get_model(second).name, "confidence": rest}


def compare_members(store: HeritageStore, model_id: str, other_id: str) -> dict[str, Any]:
    """``compare_models``, and what the second is to the first by their family's tree."""
    found = compare_models(store, StoredEvidence(store), model_id, other_id)
    family_id, other_family_id = (
        store.get_model(model).family_id for model in (model_id, other_id)
    )
    same = family_id is not None and family_id == other_family_id
    tree = store.get_family(str(family_id)).tree if same else None
    kinship = find_kinship(tree, model_id, other_id)
    edge = kinship.edge
    return found | {
        "kinship": {
            "kind": kinship.kind,
            "path": list(kinship.path),
            "confidence": kinship.confidence,
            "relation": edge.relation.value if edge else None,
            "reasons": list_reasons(edge) if edge else [],
        }
    }


def describe_counts(counts: StoreCounts) -> dict[str, Any]:
    """Totals of a lake."""
    sizes = counts.family_sizes
    return {
        "total_models": counts.models,
        "total_families": len(sizes),
        "total_edges": counts.edges,
        "resolved_edges": counts.resolved,
        "relations": dict(sorted(counts.relations.items())),
        "mean_confidence": counts.mean_confidence,
        "average_family_size": sum(map(float, sizes)) / len(sizes) if sizes else None,
        "largest_family": max(sizes, default=0),
    }


def list_screened(assignment: Assignment | None) -> list[dict[str, Any]]:
    """Families that a newcomer's screens looked at, the most promising first."""
    found = assignment.candidates[:CANDIDATES] if assignment else ()
    return [
        {
            "family_id": candidate.family_id,
            "compatibility": candidate.compatibility,
            "centroid_distance": candidate.centroid_distance,
            "diameter": candidate.diameter,
            "uncertain": candidate.uncertain,
        }
        for candidate in found
    ]
