"""What people know enters the tree, and the rest is solved around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering.constraints import Constraints
from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.errors import Conflict
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import make_model, quantise_arrays, rename_arrays
from tests.clustering.models import add_noise, fingerprint_arrays

BASE = make_model(1)
LEFT = add_noise(BASE, share=0.2, seed=1)
RIGHT = add_noise(BASE, share=0.2, seed=2)
ARRAYS = {
    "base": BASE,
    "left": LEFT,
    "left-twin": rename_arrays(LEFT, "x."),
    "left-int8": quantise_arrays(LEFT, 8),
    "leaf": add_noise(LEFT, share=0.1, seed=3),
    "right": RIGHT,
    "last": add_noise(RIGHT, share=0.1, seed=4),
}
"""base ─┬─ left ─┬─ left-twin
         │        ├─ left-int8
         │        └─ leaf
         └─ right ── last
"""
PRINTS = {name: fingerprint_arrays(arrays) for name, arrays in ARRAYS.items()}


def solve(prints: Mapping[str, Fingerprint] = PRINTS, **known: Any) -> FamilyTree:
    return solve_family(prints, constraints=Constraints(**known))


def find_parents(tree: FamilyTree) -> dict[str, str]:
    return {child: edge.parent for child, edge in tree.main_edges.items()}


def test_a_pinned_root_turns_the_tree_round() -> None:
    """last ── right ── base ── left ..."""
    tree = solve(root="last")
    parents = find_parents(tree)
    assert (tree.root, tree.root_confidence) == ("last", 1.0)
    assert (parents["right"], parents["base"]) == ("last", "right")
    assert "base" in (parents["left"], parents["left-twin"])


def test_a_confirmed_parent_is_sure_and_moves_nobody_else() -> None:
    before = solve(root="base")
    tree = solve(root="base", confirmed={"leaf": "right"})
    edge = tree.main_edges["leaf"]
    assert (edge.parent, edge.confidence, edge.evidence.flags) == ("right", 1.0, ("confirmed",))
    others = {**find_parents(before), "leaf": "right"}
    assert find_parents(tree) == others


def test_a_forbidden_parent_is_replaced_and_the_rest_stays() -> None:
    before = find_parents(solve(root="base"))
    tree = solve(root="base", forbidden=frozenset({("right", "last")}))
    assert find_parents(tree)["last"] not in ("right", "last")
    assert find_parents(tree) == {**before, "last": find_parents(tree)["last"]}


def test_a_proven_copy_follows_what_people_know() -> None:
    tree = solve(root="base", confirmed={"left-int8": "right"})
    assert find_parents(tree)["left-int8"] == "right"


def test_one_of_two_equal_models_is_meant() -> None:
    """The one that is confirmed to be somebody's child stands for both."""
    tree = solve(root="base", confirmed={"left-twin": "right"})
    assert find_parents(tree)["left-twin"] == "right"
    assert find_parents(tree)["left"] == "left-twin"
    tree = solve(root="left-twin")
    assert tree.root == "left-twin"
    assert find_parents(tree)["left"] == "left-twin"


def test_confirmed_edges_that_look_at_each_other_are_both_kept() -> None:
    """In the skeleton left and right stand on either side of base: their parents lie inwards."""
    known = {"base": "leaf", "right": "last"}
    parents = find_parents(solve(confirmed=known))
    assert known.items() <= parents.items()


@pytest.mark.parametrize(
    "known",
    [
        {"confirmed": {"leaf": "left"}, "forbidden": frozenset({("left", "leaf")})},
        {"confirmed": {"leaf": "left"}, "root": "leaf"},
        {"confirmed": {"leaf": "left", "left": "last", "last": "leaf"}},
        {"confirmed": {"left": "base", "left-twin": "right"}},
        {"confirmed": {"left-twin": "right"}, "root": "left"},
        {"root": "base", "forbidden": frozenset((name, "last") for name in ARRAYS)},
    ],
)
def test_contradictions_are_refused(known: dict[str, object]) -> None:
    with pytest.raises(Conflict):
        solve(**known)


def test_constraints_on_other_families_change_nothing() -> None:
    known = {"confirmed": {"leaf": "stranger"}, "forbidden": frozenset({("left", "stranger")})}
    assert solve(root="stranger", **known) == solve()


@st.composite
def draw_constraints(draw: st.DrawFn) -> Constraints:
    """Taken from a random tree, so there is one that meets them all."""
    names = draw(st.permutations([name for name in sorted(ARRAYS) if name != "left-twin"]))
    true = {name: draw(st.sampled_from(names[:i])) for i, name in enumerate(names) if i}
    confirmed = {c: p for c, p in true.items() if draw(st.booleans())}
    pairs = [(p, c) for p in names for c in names if p != c and true.get(c) != p]
    forbidden = frozenset(draw(st.lists(st.sampled_from(pairs), max_size=8)))
    root = names[0] if draw(st.booleans()) else None
    return Constraints(confirmed=confirmed, forbidden=forbidden, root=root)


@settings(max_examples=40, deadline=None)
@given(draw_constraints())
def test_whatever_is_known_holds(known: Constraints) -> None:
    tree = solve_family(PRINTS, constraints=known)
    parents = find_parents(tree)
    assert known.confirmed.items() <= parents.items()
    assert not known.forbidden & {(parent, child) for child, parent in parents.items()}
    assert known.root in (None, tree.root)
    assert set(parents) == set(ARRAYS) - {tree.root}
