"""Bills are checked by CycloneDX's own strict validator."""

from __future__ import annotations

import json
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from model_heritage_backend.interop.ml_bom import SPDX_IDS, write_ml_bom
from tests.interop.lakes import HOSTILE, get_large_lineage, make_lineage
from tests.interop.test_heritage_document import make_document

VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def read(document: Any, **options: Any) -> dict[str, Any]:
    text = write_ml_bom(document, **options)
    assert VALIDATOR.validate_str(text) is None
    bill: dict[str, Any] = json.loads(text)
    return bill


def get_properties(holder: dict[str, Any]) -> dict[str, str]:
    return {p["name"].removeprefix("model-heritage:"): p["value"] for p in holder["properties"]}


def test_decided_parents_are_ancestors_and_guesses_are_variants() -> None:
    bill = read(make_document())
    models = {component["bom-ref"]: component for component in bill["components"]}
    assert len(models) == 10
    assert "pedigree" not in models["a"]
    assert list(models["b"]["pedigree"]) == ["variants"]
    ancestors = models["d"]["pedigree"]["ancestors"]
    assert [ancestor["name"] for ancestor in ancestors] == ["b.pt", "c.pt"]
    assert get_properties(ancestors[1]) == {
        "ref": "c",
        "relation": "merge",
        "confidence": "0.9",
        "distance": "0.1",
        "coefficient": "0.4",
    }
    assert "timestamp" not in bill["metadata"]


def test_a_thousand_hostile_models() -> None:
    document = get_large_lineage().document
    bill = read(document)
    assert len(bill["components"]) == 1000
    assert bill["metadata"]["timestamp"] == "2026-01-02T03:04:05.000Z"
    assert {"<script>alert(1)</script>", HOSTILE[2]} <= {c["name"] for c in bill["components"]}
    needs = {d["ref"]: d["dependsOn"] for d in bill["dependencies"] if "dependsOn" in d}
    assert needs["f0_m7"] == ["f0_m2"]
    assert bill["components"] != read(make_lineage(sizes=(2,)).document)["components"]


def test_licences_and_the_subject() -> None:
    document = make_lineage(sizes=(3,)).document
    bill = read(document, subject="f0_m2")
    assert bill["metadata"]["component"]["bom-ref"] == "f0_m2"
    others = {component["bom-ref"]: component for component in bill["components"]}
    assert "licenses" not in others["f0_m0"]
    given = {"id": "Apache-2.0", "acknowledgement": "declared"}
    assert others["f0_m1"]["licenses"] == [{"license": given}]
    named = bill["metadata"]["component"]["licenses"][0]["license"]
    assert named["name"] == "l\"'ice\nnce"
    assert bill["serialNumber"] != read(document)["serialNumber"]


def test_known_licences_are_spdx_identifiers() -> None:
    document = make_lineage(sizes=(len(SPDX_IDS),)).document
    for model, identifier in zip(document["models"], SPDX_IDS, strict=True):
        model["licence"] = identifier
    bill = read(document)
    given = {c["licenses"][0]["license"]["id"] for c in bill["components"]}
    assert given == set(SPDX_IDS.values())
