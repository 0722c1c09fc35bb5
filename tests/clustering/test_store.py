"""Which tree inherits which family's id. The protocol's suite is tests/models/test_sql_store.py."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.store import assign_family_ids


def assign(replaced: Mapping[str, str], *trees: str) -> list[str]:
    """Members are letters; new ids are counted."""
    made = iter(f"new{number}" for number in range(9))
    made_trees = [
        FamilyTree(members=tuple(members), edges=(), root=None, root_confidence=1.0, method="test")
        for members in trees
    ]
    return assign_family_ids(replaced, made_trees, lambda _tree: next(made))


def test_a_family_that_grew_keeps_its_id() -> None:
    assert assign({"f": "abc"}, "abcd") == ["f"]


def test_a_new_family_gets_a_new_id() -> None:
    assert assign({}, "ab", "c") == ["new0", "new1"]


def test_joined_families_keep_the_id_of_the_larger() -> None:
    assert assign({"f": "ab", "g": "cde"}, "abcdex") == ["g"]
    assert assign({"g": "cd", "f": "ab"}, "abcd") == ["f"], "ties go by id"


def test_parts_of_a_family_share_its_id_out_to_the_largest() -> None:
    assert assign({"f": "abcde"}, "a", "bcd", "e") == ["new0", "f", "new1"]
    assert assign({"f": "abcd"}, "ab", "cd") == ["f", "new0"], "ties go by place"


def test_the_second_choice_where_the_first_is_taken() -> None:
    """Both trees share most with f; the smaller then inherits g."""
    assert assign({"f": "abcdef", "g": "xy"}, "abcd", "efx") == ["f", "g"]


@given(
    st.lists(st.integers(0, 3), min_size=8, max_size=8),
    st.lists(st.integers(0, 3), min_size=8, max_size=8),
)
def test_no_id_is_given_twice(before: list[int], after: list[int]) -> None:
    members = "abcdefgh"
    replaced = {
        f"f{group}": "".join(m for m, g in zip(members, before, strict=True) if g == group)
        for group in sorted(set(before))
    }
    groups = sorted(set(after))
    trees = ["".join(m for m, g in zip(members, after, strict=True) if g == x) for x in groups]
    ids = assign(replaced, *trees)
    assert len(set(ids)) == len(ids) == len(trees)
    inherited = [family_id for family_id in ids if family_id in replaced]
    if len(replaced) <= len(trees) == 1:
        assert inherited
    assert assign(dict(reversed(replaced.items())), *trees) == ids
    for family_id, tree in zip(ids, trees, strict=True):
        if family_id in replaced:
            assert set(replaced[family_id]) & set(tree)
