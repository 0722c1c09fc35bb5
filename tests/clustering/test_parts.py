"""Trees around what people state, also where no single tree can hold it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering.genealogy import FamilyTree, Relation
from model_heritage_backend.clustering.parts import find_parts
from model_heritage_backend.clustering.statements import Kind, Knowledge, Statement
from model_heritage_backend.clustering.tree_builder import MoTHerTreeBuilder, TreeBuildingMethod
from tests.clustering.families import make_model
from tests.clustering.models import add_noise, fingerprint_arrays

BASE, OTHER = make_model(1), make_model(2)
LEFT = add_noise(BASE, share=0.2, seed=1)
SECOND = add_noise(OTHER, share=0.2, seed=5)
PRINTS = {
    name: fingerprint_arrays(arrays)
    for name, arrays in {
        "base": BASE,
        "left": LEFT,
        "leaf": add_noise(LEFT, share=0.1, seed=3),
        "right": add_noise(BASE, share=0.2, seed=2),
        "other": OTHER,
        "second": SECOND,
        "third": add_noise(SECOND, share=0.1, seed=6),
    }.items()
}
"""base ─┬─ left ── leaf        other ── second ── third
         └─ right
"""
FAMILY = ("base", "left", "leaf", "right")


def know(*stated: str) -> Knowledge:
    """ "a>b": a is b's parent; "a!b": it is not; "a": a is a root."""
    found = []
    for number, text in enumerate(stated):
        parent, mark, model = text.partition(">") if ">" in text else text.partition("!")
        kind = {">": Kind.CONFIRM, "!": Kind.FORBID, "": Kind.ROOT}[mark]
        ends = {"model": model, "parent": parent} if mark else {"model": parent}
        found.append(Statement(id=f"c{number}", kind=kind, author="Ann", **ends))
    return Knowledge.gather(found)


def solve(
    *stated: str, members: tuple[str, ...] = tuple(PRINTS), method: str = "heritage"
) -> FamilyTree:
    builder = MoTHerTreeBuilder(method=TreeBuildingMethod(method))
    return builder.solve({m: PRINTS[m] for m in members}, known=know(*stated))


def find_parents(tree: FamilyTree) -> dict[str, str]:
    return {child: edge.parent for child, edge in tree.main_edges.items()}


def test_nothing_stated_is_one_part() -> None:
    assert find_parts(PRINTS, know()).parts == (tuple(sorted(PRINTS)),)


def test_strangers_are_solved_apart_and_joined_by_what_was_stated() -> None:
    first, second = (solve(members=m) for m in (FAMILY, ("other", "second", "third")))
    tree = solve(f"leaf>{second.root}")
    assert find_parents(tree) == find_parents(first) | find_parents(second) | {second.root: "leaf"}
    assert (tree.root, tree.root_confidence) == (first.root, first.root_confidence)
    edge = tree.main_edges[second.root]
    assert (edge.parent, edge.relation, edge.confidence) == ("leaf", Relation.UNRESOLVED, 1.0)
    assert (edge.evidence.method, edge.evidence.stated_by) == ("stated", "Ann")
    assert edge.evidence.margin is None and edge.distance > 0.5


def test_a_part_hangs_by_the_child_that_was_named() -> None:
    tree = solve("base>third")
    assert find_parents(tree)["third"] == "base"
    assert find_parents(tree)["second"] == "third"
    assert tree.root in FAMILY


def test_two_roots_are_two_trees() -> None:
    tree = solve("left", "right", members=FAMILY)
    assert tree.root is None
    assert len(tree.main_edges) == 2
    assert not {"left", "right"} & tree.main_edges.keys()
    assert len(find_parts({m: PRINTS[m] for m in FAMILY}, know("left", "right")).tops) == 2


def test_where_every_parent_is_ruled_out_there_is_none() -> None:
    stated = ["base", *(f"{m}!leaf" for m in ("base", "left", "right"))]
    tree = solve(*stated, members=FAMILY)
    assert set(tree.main_edges) == {"left", "right"}


def test_parts_that_hang_from_each_other_are_cut() -> None:
    tree = solve("leaf>other", "third>base")
    parents = find_parents(tree)
    assert (parents["other"], parents["base"]) == ("leaf", "third")
    assert len(parents) == len(PRINTS) - 1


@pytest.mark.parametrize("method", TreeBuildingMethod)
def test_every_method_obeys(method: str) -> None:
    free = find_parents(solve(members=FAMILY, method=method))
    tree = solve("right>leaf", "right", "right!base", members=FAMILY, method=method)
    parents = find_parents(tree)
    assert (tree.root, parents["leaf"]) == ("right", "right")
    assert parents["base"] != "right" and set(parents) == set(FAMILY) - {"right"}
    assert tree.main_edges["leaf"].evidence.stated_by == "Ann"
    assert find_parents(solve(members=FAMILY, method=method)) == free


@st.composite
def draw_statements(draw: st.DrawFn) -> list[str]:
    names = sorted(PRINTS)
    order = draw(st.permutations(names))
    true = {name: draw(st.sampled_from(order[:i])) for i, name in enumerate(order) if i}
    stated = [f"{p}>{c}" for c, p in true.items() if draw(st.integers(0, 3)) == 0]
    pairs = [(p, c) for p in names for c in names if p != c and true.get(c) != p]
    stated += [f"{p}!{c}" for p, c in draw(st.lists(st.sampled_from(pairs), max_size=6))]
    confirmed = {text.partition(">")[2] for text in stated}
    roots = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    return stated + [root for root in roots if root not in confirmed]


@settings(max_examples=20, deadline=None)
@given(draw_statements())
def test_whatever_is_stated_holds(stated: list[str]) -> None:
    """Also what contradicts itself as long as there is to be one tree."""
    tree = solve(*stated)
    known, parents = know(*stated), find_parents(tree)
    assert known.confirmed.items() <= parents.items()
    assert not known.forbidden & {(parent, child) for child, parent in parents.items()}
    assert not known.roots & parents.keys()
    assert tree.members == tuple(sorted(PRINTS))
