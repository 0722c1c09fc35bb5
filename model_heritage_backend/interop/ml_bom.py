"""A heritage document as a CycloneDX 1.6 bill of materials of machine learning models.

A parent that the evidence decides is an ancestor in the model's pedigree; a best guess is a
variant, CycloneDX's word for a relation that is not known. Both carry relation and confidence.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from model_heritage_backend.interop.names import clean_text, get_family_ids
from model_heritage_backend.version import __version__

PREFIX = "model-heritage:"
NAMESPACE = uuid.UUID("6f2d0b2e-52a1-5d0e-9a52-0c9f8e1f3f5d")
"""Any constant: serial numbers are made from it and the content."""
SPDX_IDS = {
    identifier.casefold(): identifier
    for identifier in (
        "AFL-3.0",
        "AGPL-3.0",
        "Apache-2.0",
        "Artistic-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC-BY-2.0",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC-BY-NC-4.0",
        "CC-BY-NC-ND-4.0",
        "CC-BY-NC-SA-4.0",
        "CC-BY-ND-4.0",
        "CC-BY-SA-3.0",
        "CC-BY-SA-4.0",
        "CC0-1.0",
        "ECL-2.0",
        "EPL-1.0",
        "EPL-2.0",
        "EUPL-1.1",
        "EUPL-1.2",
        "GPL-2.0",
        "GPL-3.0",
        "ISC",
        "LGPL-2.1",
        "LGPL-3.0",
        "MIT",
        "MPL-2.0",
        "MS-PL",
        "NCSA",
        "ODbL-1.0",
        "OFL-1.1",
        "OSL-3.0",
        "PDDL-1.0",
        "PostgreSQL",
        "Unlicense",
        "WTFPL",
        "Zlib",
    )
}
"""SPDX's identifiers of the licences that models usually have, by their lower case, in which the
hub writes them. Others are given by name."""


def write_ml_bom(document: Mapping[str, Any], *, subject: str | None = None) -> str:
    """The bill as JSON.

    Parameters
    ----------
    subject : id of the model that the bill is about; the others are its relatives
    """
    families = get_family_ids(document)
    models = {model["id"]: model for model in document["models"]}
    edges: dict[str, list[Mapping[str, Any]]] = {}
    for edge in document["edges"]:
        edges.setdefault(edge["child"], []).append(edge)
    components = {
        key: _describe_model(model, families[model["family"]])
        | _describe_pedigree(edges.get(key, ()), models)
        for key, model in models.items()
    }
    metadata: dict[str, Any] = {
        "tools": {
            "components": [
                {"type": "application", "name": "model-heritage", "version": __version__}
            ]
        }
    }
    # When the newest of its families was solved: the same genealogy gives the same bill.
    times = [family["updated_at"] for family in document["families"] if "updated_at" in family]
    if times:
        metadata["timestamp"] = max(times)
    if subject is not None:
        metadata["component"] = components.pop(subject)
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": list(components.values()),
        "dependencies": _list_dependencies(document),
    }
    serial = uuid.uuid5(NAMESPACE, json.dumps(bill, sort_keys=True))
    bill["serialNumber"] = f"urn:uuid:{serial}"
    return json.dumps(bill, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _describe_model(model: Mapping[str, Any], family: str | None) -> dict[str, Any]:
    facts = {
        "total_parameters": model["total_parameters"],
        "family": family,
        "quality": " ".join(model.get("quality", ())) or None,
    }
    described = {
        "type": "machine-learning-model",
        "bom-ref": model["id"],
        **_name_model(model),
        "modelCard": {"properties": _list_properties(facts)},
    }
    licence = clean_text(model.get("licence") or "").strip()
    if licence:
        identifier = SPDX_IDS.get(licence.casefold())
        choice = {"name": licence} if identifier is None else {"id": identifier}
        described["licenses"] = [{"license": choice | {"acknowledgement": "declared"}}]
    return described


def _name_model(model: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": clean_text(model["path"]),
        "hashes": [{"alg": "SHA-256", "content": model["checksum"]}],
    }


def _describe_pedigree(
    edges: Sequence[Mapping[str, Any]], models: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    pedigree: dict[str, list[dict[str, Any]]] = {}
    for edge in edges:
        facts = {name: edge[name] for name in ("relation", "confidence", "distance", "coefficient")}
        parent = {
            "type": "machine-learning-model",
            **_name_model(models[edge["parent"]]),
            "properties": _list_properties({"ref": edge["parent"], **facts}),
        }
        pedigree.setdefault("ancestors" if edge["resolved"] else "variants", []).append(parent)
    return {"pedigree": pedigree} if pedigree else {}


def _list_dependencies(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An adapter that is a file of its own needs its base to run; all others stand alone."""
    bases: dict[str, list[str]] = {model["id"]: [] for model in document["models"]}
    for edge in document["edges"]:
        if edge["resolved"] and "unmerged" in edge["evidence"].get("flags", ()):
            bases[edge["child"]].append(edge["parent"])
    return [
        {"ref": key, "dependsOn": needed} if needed else {"ref": key}
        for key, needed in bases.items()
    ]


def _list_properties(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"name": PREFIX + name, "value": str(value)}
        for name, value in facts.items()
        if value is not None
    ]
