"""What is withheld, and what the truth says of it."""

from __future__ import annotations

import random
from pathlib import Path

import torch

from benchmarks.architectures import Architecture, Kind
from benchmarks.family import Family, Member
from benchmarks.missing import withhold
from benchmarks.zoo import Zoo, write_zoo

TINY = Architecture(kind=Kind.MLP, width=8, depth=2, hidden=8, outputs=10)


def draw_family(parents: dict[str, str | None]) -> Family:
    """A family by name -> parent's name; a name that ends with = is a duplicate."""
    family = Family("F")
    by_name: dict[str, Member] = {}
    for name, parent in parents.items():
        bonds = ((by_name[parent], None),) if parent else ()
        relation = "duplicate" if name.endswith("=") else "finetune"
        by_name[name] = family.add(
            Member(
                name=name,
                weights={"w": torch.full((2, 2), float(len(by_name)))},
                architecture=TINY,
                parents=bonds,
                relation=relation if parent else None,
            )
        )
    return family


#   a ── b ── d ── g
#    │   └── e
#    └── c ── f        c has one child only
TREE: dict[str, str | None] = {
    "a": None,
    "b": "a",
    "c": "a",
    "d": "b",
    "e": "b",
    "f": "c",
    "g": "d",
}


def test_those_with_more_children_go_first() -> None:
    for seed in range(5):
        family = draw_family(TREE)
        withhold(family, random.Random(seed))
        (gone,) = family.withheld
        assert gone.name in "ab"


def test_originals_of_duplicates_and_parents_of_merges_stay() -> None:
    family = draw_family({**TREE, "b=": "b"})
    merged = Member(
        name="m",
        weights={},
        architecture=TINY,
        parents=((family.root, 0.6), (family.members[2], 0.4)),
        relation="merge",
    )
    family.add(merged)
    withhold(family, random.Random(0))
    assert [member.name for member in family.withheld] == ["d"], "only d is left to withhold"


def test_a_family_keeps_three_models() -> None:
    family = draw_family({"a": None, "b": "a", "c": "a"})
    withhold(family, random.Random(0))
    assert family.withheld == []


def test_the_truth_of_withheld_models(tmp_path: Path) -> None:
    family = draw_family(TREE)
    family.withheld = [family.members[1], family.members[3]]
    write_zoo([family], tmp_path, about={"kind": "test", "seed": 0})
    zoo = Zoo(tmp_path)
    assert {m["name"] for m in zoo.truth["models"]} == set("acefg")
    assert len(zoo.paths) == 5
    assert {(zoo.names[e["parent"]], zoo.names[e["child"]]) for e in zoo.truth["edges"]} == {
        ("a", "c"),
        ("c", "f"),
    }
    ghosts = {ghost["name"]: ghost for ghost in zoo.truth["ghosts"]}
    assert [zoo.names[d] for d in ghosts["b"]["descendants"]] == ["g", "e"]
    assert [zoo.names[c] for c in ghosts["b"]["children"]] == ["e"]
    assert [zoo.names[c] for c in ghosts["d"]["children"]] == ["g"]
    assert {ghost["ancestor"] for ghost in ghosts.values()} == {zoo.ids["a"]}
    assert zoo.truth["families"][0]["root"] == zoo.ids["a"]


def test_without_its_root_a_family_may_have_none(tmp_path: Path) -> None:
    family = draw_family(TREE)
    family.withheld = [family.root]
    write_zoo([family], tmp_path, about={"kind": "test", "seed": 0})
    assert Zoo(tmp_path).truth["families"][0]["root"] is None
    assert Zoo(tmp_path).truth["ghosts"][0]["root"] is True
