"""History: what families were, and why they changed."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from model_heritage_backend.clustering import Edge
from model_heritage_backend.models.snapshots import Snapshot
from model_heritage_backend.models.tables import Revision
from model_heritage_backend.models.trees import name_family
from model_heritage_backend.routes.schemas.history import (
    LARGEST_NUMBER,
    FormerTree,
    RevisionDiff,
    RevisionList,
    RevisionListQuery,
)
from model_heritage_backend.routes.views import get_service, show_edge, show_ghost, show_time
from model_heritage_backend.services.family_history import tell_cause

NUMBER = f"int(min=1, max={LARGEST_NUMBER})"

blueprint = APIBlueprint("history", __name__, tag="History")


@blueprint.get("/families/<family_id>/revisions")
@blueprint.input(RevisionListQuery, location="query")
@blueprint.output(RevisionList)
@blueprint.doc(
    summary="What happened to a family, newest first",
    description="Also of families that have gone up in others.",
    responses=[400, 404],
)
def list_revisions(family_id: str, query_data: dict[str, Any]) -> dict[str, Any]:
    rows, total = get_service().history.list_newest(family_id, **query_data)
    more = bool(rows) and rows[-1].number > 1
    return {
        "family_id": family_id,
        "revisions": [_show_revision(row) for row in rows],
        "total": total,
        "next_cursor": rows[-1].number if more else None,
    }


@blueprint.get(f"/families/<family_id>/revisions/<{NUMBER}:number>")
@blueprint.output(FormerTree)
@blueprint.doc(
    summary="A family as it was after one change",
    description="Names of models that were deleted since are kept.",
    responses=[404],
)
def get_revision(family_id: str, number: int) -> dict[str, Any]:
    row, snapshot = get_service().history.get(family_id, number)
    return {
        "family_id": family_id,
        "name": _name(snapshot),
        "method": snapshot.tree.method,
        "root_id": snapshot.tree.root,
        "nodes": [{"id": model, "name": name} for model, name in snapshot.names.items()],
        "edges": [_show_former_edge(edge) for edge in snapshot.tree.edges],
        "ghosts": [show_ghost(ghost) for ghost in snapshot.tree.ghosts],
        "revision": _show_revision(row),
    }


@blueprint.get(f"/families/<family_id>/revisions/<{NUMBER}:number>/diff/<{NUMBER}:other>")
@blueprint.output(RevisionDiff)
@blueprint.doc(
    summary="What moved between two revisions, and why",
    description="The earlier revision is `before`, whatever the order in the path.",
    responses=[404],
)
def compare_revisions(family_id: str, number: int, other: int) -> dict[str, Any]:
    found = get_service().history.compare(family_id, number, other)
    return {
        "family_id": family_id,
        "before": _show_end(*found.first),
        "after": _show_end(*found.last),
        "names": dict(found.names),
        "members": [
            {
                "id": change.model_id,
                "name": change.name,
                "change": "came" if change.came else "went",
                "revision": change.number,
                "why": change.why,
            }
            for change in found.members
        ],
        "edges": [
            {
                "child": {"id": change.child, "name": found.names[change.child]},
                "change": change.kind,
                "before": _show_former_edge(change.before) if change.before else None,
                "after": _show_former_edge(change.after) if change.after else None,
                "revision": change.number,
                "why": change.why,
            }
            for change in found.edges
        ],
    }


def _show_revision(row: Revision) -> dict[str, Any]:
    model = {"id": row.model_id, "name": row.model_name} if row.model_id else None
    return {
        "number": row.number,
        "cause": row.cause,
        "summary": f"Changed {tell_cause(row)}.",
        "model": model,
        "statement": row.statement,
        "author": row.author,
        "reason": row.reason,
        "size": row.size,
        "came_from": row.came_from,
        "went_to": row.went_to,
        "created_at": show_time(row.created_at),
    }


def _show_end(row: Revision, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "number": row.number,
        "name": _name(snapshot),
        "root_id": snapshot.tree.root,
        "size": row.size,
        "created_at": show_time(row.created_at),
    }


def _name(snapshot: Snapshot) -> str:
    return name_family(snapshot.tree.root, snapshot.names, snapshot.given_name)


def _show_former_edge(edge: Edge) -> dict[str, Any]:
    """An edge with what the history keeps of its evidence."""
    evidence = {
        "runner_up": edge.evidence.runner_up,
        "margin": edge.evidence.margin,
        "flags": list(edge.evidence.flags),
        "method": edge.evidence.method,
        "stated_by": edge.evidence.stated_by,
    }
    return show_edge(edge) | {"evidence": evidence}
