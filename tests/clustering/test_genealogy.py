"""Edges and trees check themselves, and answer who descends from whom."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_heritage_backend.clustering.genealogy import (
    UNRESOLVED_BELOW,
    Edge,
    Evidence,
    FamilyTree,
    Ghost,
    Relation,
    find_cycle,
)
from tests.clustering.families import make_edge


def make_tree(members: str, *edges: Edge, root: str | None = "a") -> FamilyTree:
    return FamilyTree(
        members=tuple(members), edges=edges, root=root, root_confidence=1.0, method="test"
    )


TREE = make_tree(
    "abcdef",
    make_edge("a", "b"),
    make_edge("a", "c"),
    make_edge("b", "d", relation=Relation.MERGE, coefficient=0.7),
    make_edge("c", "d", relation=Relation.MERGE, coefficient=0.3, main=False),
    make_edge("d", "e"),
    make_edge("c", "f"),
)
r"""a ─┬─ b ── d ── e      d is a merge of b and c
   └─ c ─┬·· d
         └─ f
"""


def test_ancestors_are_those_of_the_main_line() -> None:
    assert TREE.get_ancestors("e") == ["d", "b", "a"]
    assert TREE.get_ancestors("a") == []


def test_descendants_come_through_every_kind_of_edge_and_once() -> None:
    assert TREE.get_descendants("a") == ["b", "c", "d", "f", "e"]
    assert TREE.get_descendants("c") == ["d", "f", "e"]
    assert TREE.get_descendants("e") == []


def test_children_are_given_with_their_edges() -> None:
    assert [(edge.child, edge.main) for edge in TREE.get_children("c")] == [
        ("d", False),
        ("f", True),
    ]


def test_the_main_edge_is_one_per_child() -> None:
    assert {child: edge.parent for child, edge in TREE.main_edges.items()} == {
        "b": "a",
        "c": "a",
        "d": "b",
        "e": "d",
        "f": "c",
    }


@pytest.mark.parametrize(
    ("edges", "complaint"),
    [
        ([make_edge("a", "z")], "a -> z leaves the family"),
        ([make_edge("z", "a")], "z -> a leaves the family"),
        ([make_edge("a", "b"), make_edge("c", "b")], "b has two main parents"),
        ([make_edge("a", "b"), make_edge("b", "a")], "cycle"),
        (
            [make_edge("a", "b"), make_edge("b", "c"), make_edge("c", "a", main=False)],
            "cycle",
        ),
    ],
)
def test_a_tree_checks_itself(edges: Sequence[Edge], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make_tree("abc", *edges)


def test_a_forest_is_allowed() -> None:
    """Ghosts leave several tops."""
    tree = make_tree("abcd", make_edge("a", "b"), make_edge("c", "d"), root=None)
    assert tree.get_ancestors("d") == ["c"]


def test_a_ghost_checks_itself() -> None:
    with pytest.raises(ValueError, match="some of its children only"):
        Ghost(id="ghost-1", children=("a", "b"), confidence=0.5, distances=(0.1,))
    for ghost in (
        Ghost(id="ghost-1", children=("a", "x"), confidence=0.5),
        Ghost(id="ghost-1", children=("a", "b"), confidence=0.5, parent="x"),
    ):
        with pytest.raises(ValueError, match="leaves the family"):
            replace(make_tree("ab", root=None), ghosts=(ghost,))
    with pytest.raises(ValueError, match="two main parents"):
        haunted = Ghost(id="ghost-1", children=("b", "c"), confidence=0.5)
        replace(make_tree("abc", root=None), edges=(make_edge("a", "b"),), ghosts=(haunted,))


def test_an_edge_checks_itself() -> None:
    with pytest.raises(ValueError, match="from a to itself"):
        make_edge("a", "a")
    for bad in (-0.01, 1.01, math.nan):
        with pytest.raises(ValueError, match="confidence"):
            make_edge("a", "b", confidence=bad)
    for bad in (-0.01, math.inf, math.nan):
        with pytest.raises(ValueError, match="distance"):
            make_edge("a", "b", distance=bad)


def test_half_a_chance_resolves_an_edge() -> None:
    assert make_edge("a", "b", confidence=UNRESOLVED_BELOW).resolved
    assert not make_edge("a", "b", confidence=UNRESOLVED_BELOW - 1e-9).resolved


def test_a_cycle_is_found_with_what_hangs_from_it() -> None:
    """a ── b ⇄ c ── d"""
    edges = [make_edge("a", "b"), make_edge("b", "c"), make_edge("c", "b"), make_edge("c", "d")]
    assert find_cycle("abcd", edges) == ["b", "c", "d"]
    assert find_cycle("abcd", edges[:2]) == []


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_edges_that_follow_an_order_have_no_cycle(pairs: list[tuple[int, int]]) -> None:
    """And one that turns back along a path always makes one."""
    forward = [make_edge(str(min(p)), str(max(p))) for p in pairs if p[0] != p[1]]
    members = [str(number) for number in range(7)]
    assert find_cycle(members, forward) == []
    for edge in forward:
        back = make_edge(edge.child, edge.parent)
        assert {edge.parent, edge.child} <= set(find_cycle(members, [*forward, back]))


def test_evidence_becomes_json() -> None:
    shown = Evidence(
        delta_rank=4, changed=("x", "y"), flags=("new_head",), signals={"norm": 0.5}, runner_up="m"
    ).to_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["changed"], shown["flags"]) == (["x", "y"], ["new_head"])
    assert shown["signals"] == {"norm": 0.5}
    assert shown.keys() == vars(Evidence()).keys()
    assert list(shown) == list(Evidence().to_dict())
    absent = {name for name, value in Evidence().to_dict().items() if value is None}
    assert {"delta_rank", "bits", "direction", "runner_up", "margin"} <= absent


def test_relations_have_the_documented_words() -> None:
    words = "finetune partial adapter merge quantized pruned cast duplicate unresolved"
    assert {relation.value for relation in Relation} == set(words.split())
