"""Who belongs to whom when people say who must not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from model_heritage_backend.clustering.cuts import join_nearest, list_pairs, list_relatives
from tests.clustering.families import make_model
from tests.clustering.models import add_noise, fingerprint_arrays


def join(members: str, pairs: str, together: str = "", *apart: str) -> list[str]:
    """Members are letters; pairs "ab bc", surest first; what is apart as "ab|cd"."""
    found = join_nearest(
        members,
        [(p[0], p[1]) for p in pairs.split()],
        together=[(p[0], p[1]) for p in together.split()],
        apart=[sides.split("|") for sides in apart],
    )
    return ["".join(group) for group in found]


def test_pairs_join() -> None:
    assert join("abcde", "ab cd") == ["ab", "cd", "e"]


def test_what_nobody_spoke_of_goes_with_its_nearest() -> None:
    """x is nearer to b than to a, and y to x than to anybody."""
    assert join("abxy", "xb xy xa ya", "", "a|b") == ["bxy", "a"]


def test_a_word_goes_before_likeness() -> None:
    assert join("abx", "xb xa", "xa", "a|b") == ["ax", "b"]


def test_three_sides() -> None:
    assert join("abcx", "ab bc ac xa", "", "a|b|c") == ["ax", "b", "c"]


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30),
    st.lists(st.tuples(st.sets(st.integers(0, 7)), st.sets(st.integers(0, 7))), max_size=3),
)
def test_sides_never_meet(
    pairs: list[tuple[int, int]], splits: list[tuple[set[int], set[int]]]
) -> None:
    names = [str(number) for number in range(8)]
    apart = [[{names[i] for i in one - two}, {names[i] for i in two - one}] for one, two in splits]
    groups = join_nearest(names, [(names[a], names[b]) for a, b in pairs], apart=apart)
    assert sorted(member for group in groups for member in group) == names
    for one, two in apart:
        assert all(not one & set(group) or not two & set(group) for group in groups)


def test_the_most_alike_come_first() -> None:
    base = make_model(1)
    prints = {
        "base": fingerprint_arrays(base),
        "near": fingerprint_arrays(add_noise(base, share=0.05, seed=1)),
        "far": fingerprint_arrays(add_noise(base, share=0.6, seed=2)),
        "stranger": fingerprint_arrays(make_model(9)),
    }
    related = [frozenset(pair) for pair in list_relatives(prints)]
    assert related[0] == {"base", "near"}
    assert not any("stranger" in pair for pair in related)
    assert len(list_pairs(prints)) == 6
    assert {frozenset(pair) for pair in list_pairs(prints)[:3]} == set(related)
