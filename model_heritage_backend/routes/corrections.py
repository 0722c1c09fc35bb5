"""Corrections: what people know about parents, roots and families."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from model_heritage_backend.clustering.corrections import Correction
from model_heritage_backend.clustering.statements import Statement
from model_heritage_backend.routes.access import get_guard, get_identity
from model_heritage_backend.routes.schemas.common import FamilyShape
from model_heritage_backend.routes.schemas.corrections import (
    ConstraintIn,
    ConstraintList,
    ConstraintQuery,
    ConstraintShape,
    Corrected,
    FamilyChange,
    RetractionQuery,
    SplitIn,
)
from model_heritage_backend.routes.views import get_service, show_family, show_time, show_tree

Answer = tuple[dict[str, Any], int, dict[str, str]]

blueprint = APIBlueprint("corrections", __name__, tag="Corrections")


@blueprint.get("/models/<model_id>/constraints")
@blueprint.output(ConstraintList)
@blueprint.doc(summary="What people state about a model", responses=[404])
def list_of_model(model_id: str) -> dict[str, Any]:
    return _show_all(get_service().corrections.list_of_model(model_id))


@blueprint.put("/models/<model_id>/constraints")
@blueprint.input(ConstraintIn)
@blueprint.output(Corrected, status_code=201)
@blueprint.doc(
    summary="Confirm or forbid a parent, or pin a root",
    description="200 where the same was stated before. The answer has the tree solved around it.",
    responses=[200, 400, 404, 409],
)
def state(model_id: str, json_data: dict[str, Any]) -> Answer:
    done = get_service().corrections.state(model_id, **_sign(json_data))
    return _show_change(done, model_id)


@blueprint.delete("/models/<model_id>/constraints")
@blueprint.input(ConstraintQuery, location="query")
@blueprint.output(Corrected)
@blueprint.doc(summary="Take back what was stated about a model", responses=[400, 404, 409])
def retract_of_model(model_id: str, query_data: dict[str, Any]) -> Answer:
    service = get_service().corrections
    author = _sign(query_data).pop("author")
    statement = service.find(model_id, **query_data)
    return _show_change(service.retract(statement.id, author=author), model_id)


@blueprint.get("/constraints/<constraint_id>")
@blueprint.output(ConstraintShape)
@blueprint.doc(summary="One statement", responses=[404])
def get_constraint(constraint_id: str) -> dict[str, Any]:
    [shown] = _show_all([get_service().corrections.get(constraint_id)])["constraints"]
    return dict(shown)


@blueprint.delete("/constraints/<constraint_id>")
@blueprint.input(RetractionQuery, location="query")
@blueprint.output(Corrected)
@blueprint.doc(summary="Take a statement back", responses=[400, 404, 409])
def retract(constraint_id: str, query_data: dict[str, Any]) -> Answer:
    done = get_service().corrections.retract(constraint_id, **_sign(query_data))
    return _show_change(done, min(done.statement.models or done.statement.mentioned))


@blueprint.get("/families/<family_id>/constraints")
@blueprint.output(ConstraintList)
@blueprint.doc(summary="What people state about the members of a family", responses=[404])
def list_of_family(family_id: str) -> dict[str, Any]:
    return _show_all(get_service().corrections.list_of_family(family_id))


@blueprint.post("/families/<family_id>/split")
@blueprint.input(SplitIn)
@blueprint.output(Corrected, status_code=201)
@blueprint.doc(
    summary="State that some members are not related to the others",
    description="The answer's tree is the one of the first model named. "
    "Deleting the constraint joins the families again.",
    responses=[200, 400, 404, 409],
)
def split(family_id: str, json_data: dict[str, Any]) -> Answer:
    done = get_service().corrections.split(family_id, **_sign(json_data))
    return _show_change(done, json_data["models"][0])


@blueprint.patch("/families/<family_id>")
@blueprint.input(FamilyChange)
@blueprint.output(FamilyShape)
@blueprint.doc(summary="Name a family; null names it after its root again", responses=[400, 404])
def name_family(family_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    service = get_service()
    service.corrections.name_family(family_id, **_sign(json_data))
    return show_family(service.families.get(family_id))


def _sign(data: dict[str, Any]) -> dict[str, Any]:
    """What was sent, by whom the server knows it is from, where it knows."""
    if not get_guard().is_open:
        data["author"] = get_identity().name
    return data


def _show_change(done: Correction, model_id: str) -> Answer:
    service = get_service()
    family_id = service.store.get_model(model_id).family_id
    body = {
        "constraint": _show_all([done.statement])["constraints"][0],
        "families": [show_family(service.families.get(f)) for f in sorted(done.replaced.families)],
        "tree": show_tree(*service.get_tree(str(family_id))),
    }
    where = {"Location": f"/api/constraints/{done.statement.id}"} if done.new else {}
    return body, 201 if done.new else 200, where


def _show_all(statements: Any) -> dict[str, Any]:
    named = {name for statement in statements for name in statement.mentioned}
    names = {view.row.id: view.row.name for view in get_service().lake.list_by_ids(named)}
    return {"constraints": [_show(statement, names) for statement in statements]}


def _show(statement: Statement, names: dict[str, str]) -> dict[str, Any]:
    def show(model_id: str) -> dict[str, Any]:
        # One that was deleted while this was asked has no name any more.
        return {"id": model_id, "name": names.get(model_id, model_id)}

    return {
        "id": statement.id,
        "kind": statement.kind.value,
        "model": show(statement.model) if statement.model else None,
        "parent": show(statement.parent) if statement.parent else None,
        "models": [show(model_id) for model_id in sorted(statement.models)],
        "others": [show(model_id) for model_id in sorted(statement.others)],
        "author": statement.author,
        "reason": statement.reason,
        "created_at": show_time(statement.created_at),
    }
