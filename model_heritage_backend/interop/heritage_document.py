"""The ``model-heritage/1`` document: one genealogy as JSON, shared by CLI, API and exports."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from model_heritage_backend.clustering.genealogy import Edge, Evidence, FamilyTree, Relation
from model_heritage_backend.interop.document_text import (
    SCHEMA_NAME as SCHEMA_NAME,
)
from model_heritage_backend.interop.document_text import (
    DocumentError as DocumentError,
)
from model_heritage_backend.interop.document_text import (
    write_document as write_document,
)

SCHEMA_FILE = "heritage-1.schema.json"
ID_DIGITS = 16
SIGNIFICANT_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class DocumentModel:
    """One model of the document; ``copy_of`` names the first model with the same bytes, or with the
    same samples where these are all that was read.

    ``quality``: notes on odd weights, as in the fingerprint. ``licence``: as people declare it.
    """

    id: str
    path: str
    checksum: str
    total_parameters: int
    copy_of: str | None = None
    quality: tuple[str, ...] = ()
    licence: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoredFamily:
    """What a server knows of a family beside its tree: its id there, and when it was solved (ISO
    8601, UTC).
    """

    id: str
    updated_at: str


def number_ids(checksums: Iterable[str]) -> list[str]:
    """Stable ids: ``m_`` and the checksum's first 16 digits, numbered from the second use on.

    >>> number_ids(["a" * 64, "b" * 64, "a" * 64])
    ['m_aaaaaaaaaaaaaaaa', 'm_bbbbbbbbbbbbbbbb', 'm_aaaaaaaaaaaaaaaa-2']
    """
    used: Counter[str] = Counter()
    ids = []
    for checksum in checksums:
        base = f"m_{checksum[:ID_DIGITS]}"
        used[base] += 1
        ids.append(base if used[base] == 1 else f"{base}-{used[base]}")
    return ids


def build_heritage_document(
    models: Sequence[DocumentModel],
    trees: Sequence[FamilyTree],
    errors: Sequence[DocumentError] = (),
    *,
    stored: Sequence[StoredFamily] = (),
) -> dict[str, Any]:
    """Put models and their genealogy into one document.

    Parameters
    ----------
    models : all models; those with ``copy_of`` are in no tree and join the family of the first
    trees : families over the other models' ids, in any order
    errors : files that could not be read
    stored : of families that a server keeps, in the order of ``trees``; else empty

    Returns
    -------
    A JSON-ready mapping that follows the schema of ``load_schema``: models by path, edges by child,
    families largest first and named F1, F2, ... (ties by their smallest member), all numbers
    finite. A model without a tree has the family None.
    """
    copies: dict[str, list[str]] = {}
    for model in models:
        if model.copy_of is not None:
            copies.setdefault(model.copy_of, []).append(model.id)
    sampled = {model.id for model in models if "sampled" in model.quality}
    members = {
        id(tree): sorted([*tree.members, *(c for m in tree.members for c in copies.get(m, ()))])
        for tree in trees
    }
    ordered = sorted(trees, key=lambda tree: (-len(members[id(tree)]), members[id(tree)]))
    names = {id(tree): f"F{number}" for number, tree in enumerate(ordered, 1)}
    family_of = {member: names[id(tree)] for tree in trees for member in members[id(tree)]}
    kept = {id(tree): about for tree, about in zip(trees, stored, strict=bool(stored))}
    edges = [_describe_edge(edge) for tree in trees for edge in tree.edges]
    for first, others in copies.items():
        certain = 1.0 if first not in sampled else 1.0 / (1 + len(others))
        edges += [_describe_copy(first, copy, confidence=certain) for copy in others]
    return {
        "schema": SCHEMA_NAME,
        "models": [
            _describe_model(model, family_of.get(model.id))
            for model in sorted(models, key=lambda model: (model.path, model.id))
        ],
        "edges": sorted(edges, key=lambda edge: (edge["child"], not edge["main"], edge["parent"])),
        "families": [
            {
                "id": names[id(tree)],
                "root": tree.root,
                "root_confidence": round_number(tree.root_confidence),
                "size": len(members[id(tree)]),
                "method": tree.method,
                "ghost_limit": tree.ghost_limit,
                **_describe_stored(kept.get(id(tree))),
            }
            for tree in ordered
        ],
        "ghosts": _describe_ghosts(ordered, names),
        "errors": [
            {"path": error.path, "type": error.type, "detail": error.detail}
            for error in sorted(errors, key=lambda error: (error.path, error.detail))
        ],
    }


def load_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    text = resources.files(__package__).joinpath(SCHEMA_FILE).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def round_number(value: float) -> float | None:
    """Six significant digits; None for what JSON cannot hold (NaN and infinities)."""
    if not math.isfinite(value):
        return None
    # Adding zero turns -0.0 into 0.0.
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0


def _describe_model(model: DocumentModel, family: str | None) -> dict[str, Any]:
    described = {
        "id": model.id,
        "path": model.path,
        "checksum": model.checksum,
        "family": family,
        "total_parameters": model.total_parameters,
        "quality": list(model.quality),
    }
    return described if model.licence is None else described | {"licence": model.licence}


def _describe_stored(family: StoredFamily | None) -> dict[str, Any]:
    if family is None:
        return {}
    return {"stored_id": family.id, "updated_at": family.updated_at}


def _describe_edge(edge: Edge) -> dict[str, Any]:
    return {
        "parent": edge.parent,
        "child": edge.child,
        "main": edge.main,
        "relation": edge.relation.value,
        "coefficient": None if edge.coefficient is None else round_number(edge.coefficient),
        "confidence": round_number(edge.confidence),
        "distance": round_number(edge.distance),
        "resolved": edge.resolved,
        "evidence": _round_all(edge.evidence.to_dict()),
    }


def _describe_copy(first: str, copy: str, *, confidence: float) -> dict[str, Any]:
    """The same bytes twice: certain, and no other parent is possible. Where samples are all that
    was read, either may have come first, and what was not read may differ.
    """
    exact = confidence == 1.0
    method = "checksum" if exact else "samples"
    evidence = Evidence(changed_tensors=0, relative_change=0.0, exact=exact, method=method)
    return _describe_edge(
        Edge(
            parent=first,
            child=copy,
            relation=Relation.DUPLICATE,
            confidence=confidence,
            distance=0.0,
            evidence=evidence,
        )
    )


def _describe_ghosts(trees: Sequence[FamilyTree], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Ghosts are numbered through the whole document; within their trees ids may repeat."""
    ghosts: list[dict[str, Any]] = []
    for tree in trees:
        first = len(ghosts) + 1
        renamed = {ghost.id: f"ghost-{first + n}" for n, ghost in enumerate(tree.ghosts)}
        ghosts += [
            {
                "id": renamed[ghost.id],
                "family": names[id(tree)],
                "children": [renamed.get(child, child) for child in ghost.children],
                "confidence": round_number(ghost.confidence),
                "parent": ghost.parent,
                "distances": [round_number(distance) for distance in ghost.distances],
            }
            for ghost in tree.ghosts
        ]
    return ghosts


def _round_all(value: Any) -> Any:
    """Numbers rounded, containers as JSON has them."""
    match value:
        case float():
            return round_number(value)
        case Mapping():
            return {str(key): _round_all(item) for key, item in value.items()}
        case list() | tuple():
            return [_round_all(item) for item in value]
        case _:
            return value
