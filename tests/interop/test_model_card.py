"""Heads of model cards are read back by a YAML parser."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from model_heritage_backend.clustering.genealogy import Evidence, FamilyTree, Relation
from model_heritage_backend.interop.heritage_document import build_heritage_document
from model_heritage_backend.interop.model_card import HUB_RELATIONS, write_model_card
from tests.interop.lakes import HOSTILE
from tests.interop.test_heritage_document import make_edge, make_model


def write(*parents: str, **edge: Any) -> str:
    edges = tuple(
        make_edge(parent, "m", main=place == 0, **edge) for place, parent in enumerate(parents)
    )
    tree = FamilyTree(
        members=tuple(sorted([*parents, "m"])),
        edges=edges,
        root=None,
        root_confidence=0.5,
        method="heritage",
    )
    document = build_heritage_document([make_model(m) for m in tree.members], [tree])
    return write_model_card(document, "m")


def read(card: str) -> Any:
    before, head, after = card.split("---\n")
    assert (before, after) == ("", "")
    return yaml.safe_load(head)


@pytest.mark.parametrize("relation", list(Relation))
def test_relations_in_the_hubs_words(relation: Relation) -> None:
    head = read(write("a", relation=relation))
    if relation in (Relation.DUPLICATE, Relation.UNRESOLVED):
        assert head is None
    else:
        assert head["base_model"] == ["a.pt"]
        assert head["base_model_relation"] in ("finetune", "adapter", "merge", "quantized")
        assert relation.value in HUB_RELATIONS


def test_adapters_of_their_own_and_merged_ones() -> None:
    alone = Evidence(flags=("unmerged",))
    card = write("a", relation=Relation.ADAPTER, evidence=alone)
    assert read(card)["base_model_relation"] == "adapter"
    assert read(write("a", relation=Relation.ADAPTER))["base_model_relation"] == "finetune"


def test_all_parents_of_a_merge() -> None:
    card = write("a", "b", relation=Relation.MERGE, coefficient=0.5)
    assert read(card) == {"base_model": ["a.pt", "b.pt"], "base_model_relation": "merge"}
    assert '# Merge of "b.pt", confidence 0.90.' in card


def test_a_guess_is_not_claimed() -> None:
    card = write("a", confidence=0.4)
    assert read(card) is None
    assert '# Not decided: the best guess of a parent is "a.pt", confidence 0.40.' in card
    assert "# No parent is known." in write()


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_names(name: str) -> None:
    document: dict[str, Any] = {
        "models": [{"id": "a", "path": name}, {"id": "m", "path": name}],
        "edges": [
            {
                "parent": "a",
                "child": "m",
                "relation": "finetune",
                "confidence": 0.9,
                "resolved": True,
                "evidence": {},
            }
        ],
    }
    lines = write_model_card(document, "m").splitlines()
    assert lines[0] == lines[-1] == "---"
    head = yaml.safe_load("\n".join(lines[1:-1]))
    assert head == {"base_model": [name], "base_model_relation": "finetune"}
