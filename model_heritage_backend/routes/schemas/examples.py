"""Examples for OpenAPI, made from each schema and one table of values by the names of fields.

A field says its own with ``metadata={"example": ...}``; a field of a name that is in no table gets
its first allowed value, or one of its type within its limits. So every example keeps its schema,
and new routes have examples without writing any.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

MODEL, PARENT, FAMILY = "m_3b1f0c5d9e7a2468", "m_9c2e4a6b8d0f1357", "f_5d9e7a2468ace013"
JOB = "j_7a2468ace0135b79"
CHECKSUM = "3b1f0c5d9e7a24680f1357bd9c2e4a6b8d0f13579bdf02468ace1357c5d9e7a2"
TIME = "2026-11-21T09:30:00.000Z"
NAMES: Mapping[str, Any] = {
    "ancestors": [],
    "bits": None,
    "changed": [],
    "children": [],
    "descendants": [],
    "dtypes": {"F32": 50890},
    "equal": 0.7,
    "file_size": 204_936,
    "flags": [],
    "ghosts": [],
    "gradient": [],
    "is_root": False,
    "layer_count": 4,
    "leaf_count": 7,
    "merge_parameters": {},
    "merged": [],
    "other_parents": [],
    "quality": [],
    "relations": {"finetune": 9, "merge": 2},
    "shape": [64, 128],
    "other_shape": [64, 128],
    "siblings": [],
    "signals": {"norm_growth": 0.9},
    "status": "ok",
    "total_parameters": 50_890,
    "total_bytes": 2_459_232,
    "unresolved_count": 0,
    "zero_fraction": None,
    "author": "Ada",
    "checksum": CHECKSUM,
    "child": MODEL,
    "coefficient": None,
    "confidence": 0.97,
    "confidence_score": 0.97,
    "cosine": 0.9995,
    "cursor": "WyJuYW1lIiwgImRpZ2l0cyIsICJtXzNiMWYiXQ==",
    "database": "ok",
    "delta_rank": None,
    "description": "Trained on handwritten digits.",
    "detail": "There is no model 'm_unknown'.",
    "direction": 3.2,
    "distance": 0.031,
    "error": None,
    "errors": 0,
    "existing_id": None,
    "family": FAMILY,
    "family_name": "Family of digits-base",
    "file_path": f"blobs/{CHECKSUM}",
    "filename": "digits-finetuned.safetensors",
    "format": "safetensors",
    "job": JOB,
    "kind": "process",
    "licence": "apache-2.0",
    "main": True,
    "margin": 0.4,
    "mean_confidence": 0.94,
    "merge_method": None,
    "message": "Its parent is digits-base, 97 % sure (finetune).",
    "method": "heritage",
    "model": MODEL,
    "name": "digits-finetuned",
    "next_cursor": None,
    "other_id": PARENT,
    "parent": PARENT,
    "parent_confidence": 0.97,
    "parent_id": PARENT,
    "parent_name": "digits-base",
    "progress": 1.0,
    "reason": "The model card says so.",
    "relation": "finetune",
    "request_id": "5f0c2b7d9a3e41c8b6d4f2a09e8c7b61",
    "root_confidence": 0.91,
    "root_id": PARENT,
    "root_name": "digits-base",
    "runner_up": None,
    "search": "digits",
    "stage": "done",
    "state": "done",
    "structural_hash": "8d0f13579bdf0246",
    "summary": "12 of 40 tensors differ; a fine-tune.",
    "title": "Not found",
    "type": "/problems/not-found",
    "uploads": ["u_5f0c2b7d9a3e41c8b6d4f2a09e8c7b61"],
    "version": "0.1.0",
    "weights_uri": f"/api/models/{MODEL}/download",
}
ENDS: Mapping[str, Any] = {
    "model_id": MODEL,
    "family_id": FAMILY,
    "job_id": JOB,
    "_id": MODEL,
    "_at": TIME,
    "_name": "digits-base",
}
INTEGERS = 12
NUMBERS = 0.5
IDS: Mapping[str, str] = {"Family": FAMILY, "Job": JOB}
"""What ``id`` looks like by the beginning of its schema's name; else it is a model's."""
DEPTH = 6


def compose_example(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
    """A document that keeps ``schema``, an OpenAPI 3.1 schema whose references lead to
    ``components`` (by name).
    """
    return _compose(schema, components, name="", owner="", depth=0)


def _compose(
    schema: Mapping[str, Any], components: Mapping[str, Any], *, name: str, owner: str, depth: int
) -> Any:
    for key in ("example", "const"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        owner = schema["$ref"].rsplit("/", 1)[-1]
        return _compose(components[owner], components, name=name, owner=owner, depth=depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return _compose(schema[key][0], components, name=name, owner=owner, depth=depth)
    kinds = _list_kinds(schema)
    if isinstance(NAMES.get(name), dict) and "properties" not in schema and "object" in kinds:
        return NAMES[name]
    if "object" in kinds or "properties" in schema:
        # Relatives have relatives: at some depth an optional part is left out.
        return {
            field: _compose(inner, components, name=field, owner=owner, depth=depth)
            for field, inner in schema.get("properties", {}).items()
            if depth < DEPTH or field in schema.get("required", ())
        }
    if "array" in kinds:
        items = schema.get("items", {})
        found = NAMES.get(name)
        if (
            isinstance(found, list)
            and len(found) >= schema.get("minItems", 0)
            and all(_fits(item, items, _list_kinds(items)) for item in found)
        ):
            return found
        if depth >= DEPTH and not schema.get("minItems"):
            return []
        return [_compose(items, components, name=name, owner=owner, depth=depth)]
    return _choose(schema, kinds, name=name, owner=owner)


def _list_kinds(schema: Mapping[str, Any]) -> Collection[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _choose(schema: Mapping[str, Any], kinds: Collection[str], *, name: str, owner: str) -> Any:
    """A value without parts."""
    if schema.get("format") == "binary":
        return "(the bytes of a file)"
    found = _find(name, owner)
    if _fits(found, schema, kinds):
        return found
    if schema.get("enum"):
        return schema["enum"][0]
    if "integer" in kinds:
        return _bound(INTEGERS, schema)
    if "number" in kinds:
        return _bound(NUMBERS, schema)
    if "boolean" in kinds:
        return True
    return None if "null" in kinds else name.replace("_", " ") or "text"


def _find(name: str, owner: str) -> Any:
    if name == "id":
        return next((value for start, value in IDS.items() if owner.startswith(start)), MODEL)
    if name in NAMES:
        return NAMES[name]
    return next((value for end, value in ENDS.items() if name.endswith(end)), ...)


def _fits(value: Any, schema: Mapping[str, Any], kinds: Collection[str]) -> bool:
    if schema.get("enum") and value not in schema["enum"]:
        return False
    if isinstance(value, str):
        fits = len(value) <= schema.get("maxLength", len(value))
        return "string" in kinds and fits and bool(re.search(schema.get("pattern", ""), value))
    if value is None:
        return "null" in kinds
    if isinstance(value, bool):
        return "boolean" in kinds
    if isinstance(value, int | float):
        return "number" in kinds or ("integer" in kinds and isinstance(value, int))
    return False


def _bound(value: float, schema: Mapping[str, Any]) -> float:
    least: float = schema.get("minimum", value)
    most: float = schema.get("maximum", value)
    return min(max(value, least), most)
