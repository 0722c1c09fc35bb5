"""The document: ids, order, copies, ghosts, and the schema that everything must follow."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from model_heritage_backend.clustering.genealogy import (
    Edge,
    Evidence,
    FamilyTree,
    Ghost,
    Relation,
)
from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.interop.heritage_document import (
    DocumentError,
    DocumentModel,
    StoredFamily,
    build_heritage_document,
    load_schema,
    number_ids,
    round_number,
    write_document,
)


def make_model(name: str, *, copy_of: str | None = None) -> DocumentModel:
    return DocumentModel(
        id=name,
        path=f"{name}.pt",
        checksum=f"{len(name):064x}",
        total_parameters=9,
        copy_of=copy_of,
    )


def make_edge(parent: str, child: str, **more: Any) -> Edge:
    settings = {"relation": Relation.FINETUNE, "confidence": 0.9, "distance": 0.1} | more
    return Edge(parent=parent, child=child, **settings)


def make_document() -> dict[str, Any]:
    #  a --- b --- d            e   f       g (alone, with a copy)     h (alone)
    #   \--- c -.-/ (merge)      \ /
    #        |                  ghost
    #        c-2 (same bytes)
    large = FamilyTree(
        members=("a", "b", "c", "d"),
        edges=(
            make_edge("c", "d", main=False, relation=Relation.MERGE, coefficient=0.4),
            make_edge("b", "d", relation=Relation.MERGE, coefficient=0.6),
            make_edge("a", "c"),
            make_edge(
                "a",
                "b",
                confidence=1 / 3,
                evidence=Evidence(direction=math.inf, signals={"x": math.nan, "y": -0.0}),
            ),
        ),
        root="a",
        root_confidence=0.123456789,
        method="heritage",
    )
    split = FamilyTree(
        members=("e", "f"),
        edges=(),
        root=None,
        root_confidence=0.0,
        method="heritage",
        ghosts=(Ghost(id="ghost", children=("e", "f"), confidence=0.6, distances=(0.1, 0.2)),),
    )
    single = [
        FamilyTree(members=(m,), edges=(), root=m, root_confidence=1.0, method="heritage")
        for m in ("h", "g")
    ]
    models = [make_model(name) for name in "hgfedcba"]
    models += [make_model("c-2", copy_of="c"), make_model("g-2", copy_of="g")]
    errors = [
        DocumentError.of("z.pt", InvalidWeights("It is broken.")),
        DocumentError(path="y.pt", type="t", detail="d"),
    ]
    return build_heritage_document(models, [*single, split, large], errors)


def test_ids_are_stable_and_numbered() -> None:
    first, second = "a" * 64, "a" * 63 + "b"
    assert number_ids([first, "b" * 64, second, first]) == [
        "m_aaaaaaaaaaaaaaaa",
        "m_bbbbbbbbbbbbbbbb",
        "m_aaaaaaaaaaaaaaaa-2",
        "m_aaaaaaaaaaaaaaaa-3",
    ]


def test_equal_samples_are_not_taken_for_equal_files() -> None:
    """What was not read may differ, and which came first is not known either."""
    tree = FamilyTree(members=("c",), edges=(), root="c", root_confidence=1.0, method="heritage")
    models = [make_model("c"), make_model("c-2", copy_of="c"), make_model("c-3", copy_of="c")]
    sampled = [replace(model, quality=("sampled",)) for model in models]
    for found, confidence in ((models, 1.0), (sampled, 0.333333)):
        edges = build_heritage_document(found, [tree])["edges"]
        assert [(e["relation"], e["confidence"]) for e in edges] == [("duplicate", confidence)] * 2
        assert {e["evidence"]["exact"] for e in edges} == {confidence == 1.0}


def test_families_are_named_by_size_and_include_copies() -> None:
    document = make_document()
    assert [(f["id"], f["root"], f["size"]) for f in document["families"]] == [
        ("F1", "a", 5),
        ("F2", None, 2),
        ("F3", "g", 2),
        ("F4", "h", 1),
    ]
    assert {m["id"]: m["family"] for m in document["models"]} == {
        **dict.fromkeys(["a", "b", "c", "d", "c-2"], "F1"),
        **dict.fromkeys(["e", "f"], "F2"),
        **dict.fromkeys(["g", "g-2"], "F3"),
        "h": "F4",
    }
    assert document["ghosts"] == [
        {
            "id": "ghost-1",
            "family": "F2",
            "children": ["e", "f"],
            "confidence": 0.6,
            "parent": None,
            "distances": [0.1, 0.2],
        }
    ]


def test_edges_are_sorted_and_copies_are_certain() -> None:
    document = make_document()
    assert [(e["parent"], e["child"], e["main"]) for e in document["edges"]] == [
        ("a", "b", True),
        ("a", "c", True),
        ("c", "c-2", True),
        ("b", "d", True),
        ("c", "d", False),
        ("g", "g-2", True),
    ]
    duplicate = document["edges"][2]
    assert (duplicate["relation"], duplicate["confidence"]) == ("duplicate", 1.0)
    assert document["edges"][0]["resolved"] is False
    assert [m["path"] for m in document["models"]] == sorted(m["path"] for m in document["models"])
    assert [e["path"] for e in document["errors"]] == ["y.pt", "z.pt"]
    assert document["errors"][1]["type"] == "invalid-weights"


def test_numbers_are_finite_and_short() -> None:
    document = make_document()
    assert document["families"][0]["root_confidence"] == 0.123457
    evidence = document["edges"][0]["evidence"]
    assert evidence["direction"] is None
    assert evidence["signals"] == {"x": None, "y": 0.0}
    assert json.loads(write_document(document)) == document
    assert (round_number(-0.0), round_number(math.nan), round_number(1e300)) == (0.0, None, 1e300)
    assert math.copysign(1, round_number(-0.0) or 0.0) == 1


def test_what_a_server_knows_of_families_and_people_of_licences() -> None:
    small, large = (
        FamilyTree(members=m, edges=(), root=m[0], root_confidence=1.0, method="heritage")
        for m in (("a",), ("b", "c"))
    )
    models = [replace(make_model("a"), licence="mit"), make_model("b"), make_model("c")]
    stored = [
        StoredFamily(id=i, updated_at="2026-01-02T03:04:05.000Z") for i in ("f_small", "f_large")
    ]
    document = build_heritage_document(models, [small, large], stored=stored)
    Draft202012Validator(load_schema()).validate(document)
    assert [(f["id"], f["stored_id"]) for f in document["families"]] == [
        ("F1", "f_large"),
        ("F2", "f_small"),
    ]
    assert [model.get("licence") for model in document["models"]] == ["mit", None, None]
    with pytest.raises(ValueError, match="zip"):
        build_heritage_document(models, [small, large], stored=stored[:1])


def test_a_model_without_a_tree_has_no_family() -> None:
    document = build_heritage_document([make_model("a")], [])
    assert document["models"][0]["family"] is None
    Draft202012Validator(load_schema()).validate(document)


def test_the_document_follows_the_schema() -> None:
    schema = load_schema()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(make_document())
    names = schema["$defs"]["edge"]["properties"]["relation"]["enum"]
    assert set(names) == {relation.value for relation in Relation}
    known = set(schema["$defs"]["evidence"]["properties"])
    assert known == set(Evidence().to_dict())


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("schema",), "model-heritage/2"),
        (("edges", 0, "relation"), "cousin"),
        (("edges", 0, "confidence"), 1.5),
        (("edges", 0, "distance"), -1),
        (("edges", 0, "extra"), 1),
        (("edges", 0, "evidence", "changed_tensors"), 1.5),
        (("models", 0, "checksum"), "abc"),
        (("models", 0, "family"), "family"),
        (("families", 0, "size"), 0),
        (("ghosts", 0, "children"), []),
        (("errors", 0, "detail"), None),
        (("extra",), 1),
    ],
)
def test_the_schema_refuses_other_documents(where: tuple[str | int, ...], value: object) -> None:
    document: Any = copy.deepcopy(make_document())
    target = document
    for step in where[:-1]:
        target = target[step]
    target[where[-1]] = value
    with pytest.raises(ValidationError):
        Draft202012Validator(load_schema()).validate(document)
