"""What a merge is, and that a genealogy has no cycles by it."""

from __future__ import annotations

from model_heritage_backend.clustering.merges import Merge, MergeMethod, drop_cyclic_merges


def pair(child: int, first: int, second: int, share: float = 0.5) -> Merge:
    return Merge(child=child, parents=(first, second), coefficients=(share, 1 - share))


def test_the_larger_share_is_the_main_parent() -> None:
    assert pair(2, 0, 1, 0.3).main == 1
    assert pair(2, 0, 1, 0.5).main == 0


def test_the_base_is_the_main_parent() -> None:
    merge = Merge(
        child=3,
        parents=(0, 1, 2),
        coefficients=(None, None, None),
        method=MergeMethod.TIES,
        base=2,
        parameters={"density": 0.3},
        weights=(0.5, 0.7, 0.0),
    )
    assert merge.main == 2
    assert merge.get_coefficient(1) is None
    assert merge.get_parameters(1) == {"density": 0.3, "weight": 0.7}
    assert merge.get_gradient(0) == ()


def test_a_merge_of_three_loses_none_of_its_parents() -> None:
    """2 hangs from 0, and so does 3, whose parents are 0, 1 and 2; 1 hangs from 3 in one case."""
    merge = Merge(child=3, parents=(0, 1, 2), coefficients=(0.4, 0.3, 0.3))
    assert drop_cyclic_merges({3: merge}, {1: 0, 2: 0, 3: 0}) == {3: merge}
    assert drop_cyclic_merges({3: merge}, {1: 3, 2: 0, 3: 0}) == {}


def test_a_merge_never_closes_a_cycle() -> None:
    """Main edges 0 -> 1 -> 2 -> 3; the weights say 1 = (0 + 3) / 2 and 3 = (2 + 0) / 2.

    0 ---> 1 ---> 2 ---> 3        3 descends from 1, so it cannot be 1's other parent;
    '--------------------^        0 may well be 3's.
    """
    parents = {1: 0, 2: 1, 3: 2}
    merges = {1: pair(1, 0, 3), 3: pair(3, 2, 0)}
    assert set(drop_cyclic_merges(merges, parents)) == {3}


def test_two_merges_do_not_close_a_cycle_together() -> None:
    """1 and 2 hang from 0; each is said to have the other as its second parent: one of them is."""
    parents = {1: 0, 2: 0}
    merges = {1: pair(1, 0, 2), 2: pair(2, 0, 1)}
    assert set(drop_cyclic_merges(merges, parents)) == {1}


def test_a_merge_that_hangs_elsewhere_is_none() -> None:
    assert drop_cyclic_merges({2: pair(2, 0, 1)}, {1: 0, 2: 3, 3: 0}) == {}
