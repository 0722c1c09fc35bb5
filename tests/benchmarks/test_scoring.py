"""Verdicts on trees drawn by hand."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.scoring import Verdict, group_copies, judge
from tests.benchmarks.trees import draw_document, draw_truth

#   a ── b ── c
#    └── d
LINE = [("a", "b", "finetune"), ("b", "c", "adapter"), ("a", "d", "pruned")]
TRUTH = draw_truth({"F": "a b c d"}, LINE)

#   a ── b ── c      b2 has the values of b
#         └── b2
COPIES = [("a", "b", "finetune"), ("b", "c", "finetune"), ("b", "b2", "duplicate")]
COPIED = draw_truth({"F": "a b b2 c"}, COPIES)

#   a ── b ─┐
#    └── c ─┴─ m
MERGED = draw_truth(
    {"F": "a b c m"},
    [("a", "b", "finetune"), ("a", "c", "finetune")],
    merges={"m": {"b": 0.7, "c": 0.3}},
)
BRANCHES = [("a", "b", "finetune"), ("a", "c", "finetune")]


def verdicts_by_model(truth: dict[str, Any], document: dict[str, Any]) -> dict[str, Verdict]:
    return {verdict.model: verdict for verdict in judge(truth, document).verdicts}


def test_the_truth_itself_is_right() -> None:
    found = verdicts_by_model(TRUTH, draw_document(TRUTH, LINE))
    assert found["a"].is_root
    assert not found["a"].right
    for child in "bcd":
        verdict = found[child]
        assert verdict.right and verdict.adjacent and verdict.right_up_to_copies
        assert verdict.relation == verdict.true_relation


def test_a_turned_edge_is_adjacent_but_not_right() -> None:
    #   b ── a ── d   and   b ── c
    turned = [("b", "a", "finetune"), ("b", "c", "adapter"), ("a", "d", "pruned")]
    found = verdicts_by_model(TRUTH, draw_document(TRUTH, turned))
    assert found["b"].adjacent and not found["b"].right
    assert found["c"].right and found["d"].right


def test_a_missing_model_and_a_missing_edge_are_wrong() -> None:
    document = draw_document(TRUTH, LINE[:1])
    document["models"] = document["models"][:2]
    judgement = judge(TRUTH, document)
    assert [v.model for v in judgement.verdicts if v.right] == ["b"]
    assert judgement.labels == (("F", "F"), ("F", "F"), ("F", "alone-c"), ("F", "alone-d"))


def test_an_edge_from_a_copy_of_the_true_parent_is_right() -> None:
    from_copy = [("a", "b", "finetune"), ("b2", "c", "finetune"), ("b", "b2", "duplicate")]
    found = verdicts_by_model(COPIED, draw_document(COPIED, from_copy))
    assert all(found[child].right for child in ("b", "c", "b2"))


def test_swapped_copies_are_wrong_but_right_up_to_copies() -> None:
    swapped = [("a", "b2", "finetune"), ("b2", "c", "finetune"), ("b2", "b", "duplicate")]
    found = verdicts_by_model(COPIED, draw_document(COPIED, swapped))
    assert not found["b"].right and not found["b2"].right
    assert all(found[child].right_up_to_copies for child in ("b", "c", "b2"))
    # Where b2's weights come from is told rightly; that it came before b is not.
    assert (found["b2"].right, found["b2"].is_sound) == (False, True)
    assert not found["b"].is_sound


def test_copies_side_by_side_are_not_forgiven_twice() -> None:
    #   a ── b ── c
    #    └── b2
    apart = [("a", "b", "finetune"), ("b", "c", "finetune"), ("a", "b2", "finetune")]
    found = verdicts_by_model(COPIED, draw_document(COPIED, apart))
    assert found["b"].right_up_to_copies
    assert not found["b2"].right and not found["b2"].right_up_to_copies


def test_copies_of_copies_are_one_group() -> None:
    links = [("a", "b", "duplicate"), ("b", "c", "duplicate"), ("a", "d", "cast")]
    groups = group_copies(draw_truth({"F": "a b c d"}, links))
    assert groups["a"] == groups["b"] == groups["c"] == {"a", "b", "c"}
    assert groups["d"] == {"d"}


def merge_document(shares: dict[str, float]) -> dict[str, Any]:
    document = draw_document(MERGED, BRANCHES)
    document["edges"] += [
        {
            "parent": f"m_{parent}",
            "child": "m_m",
            "main": place == 0,
            "relation": "merge",
            "coefficient": share,
            "confidence": 1.0,
        }
        for place, (parent, share) in enumerate(shares.items())
    ]
    return document


def test_a_merge_with_both_parents_is_right_and_its_error_measured() -> None:
    verdict = verdicts_by_model(MERGED, merge_document({"c": 0.25, "b": 0.75}))["m"]
    assert verdict.right, "either parent may be the main one"
    assert verdict.merge_right
    assert verdict.coefficient_error == pytest.approx(0.05)


def test_a_merge_with_one_wrong_parent_is_half_right() -> None:
    verdict = verdicts_by_model(MERGED, merge_document({"b": 0.7, "a": 0.3}))["m"]
    assert verdict.right
    assert verdict.merge_right is False
    assert verdict.coefficient_error is None


def test_an_invented_merge_is_wrong() -> None:
    document = draw_document(TRUTH, [*LINE[:2], ("a", "d", "merge")])
    assert verdicts_by_model(TRUTH, document)["d"].merge_right is False


def test_no_word_of_a_merge_is_no_verdict_on_merges() -> None:
    assert verdicts_by_model(TRUTH, draw_document(TRUTH, LINE))["d"].merge_right is None
    assert verdicts_by_model(MERGED, draw_document(MERGED, BRANCHES))["m"].merge_right is False


def test_roots_of_families_alone_are_not_counted() -> None:
    truth = draw_truth({"F": "a b", "S": "s"}, [("a", "b", "cast")])
    assert judge(truth, draw_document(truth, [("a", "b", "cast")])).roots == (("vit", True),)
    families = [{"id": "F", "root": "m_b", "size": 2}, {"id": "S", "root": "m_s", "size": 1}]
    document = draw_document(truth, [("b", "a", "cast")], families=families)
    assert judge(truth, document).roots == (("vit", False),)


def test_the_base_of_a_merge_may_be_left_out() -> None:
    truth = draw_truth({"F": "a b c m"}, BRANCHES, merges={"m": {"b": 0.7, "c": 0.5, "a": -0.2}})
    assert verdicts_by_model(truth, merge_document({"b": 0.7, "c": 0.5}))["m"].merge_right is False
    truth["edges"][-1]["base"] = True
    without = verdicts_by_model(truth, merge_document({"b": 0.7, "c": 0.4}))["m"]
    assert without.merge_right
    assert without.coefficient_error == pytest.approx(0.1)
    whole = merge_document({"b": 0.7, "c": 0.5, "a": -0.2})
    assert verdicts_by_model(truth, whole)["m"].merge_right
    truth["edges"][-1]["base"] = False
    assert verdicts_by_model(truth, whole)["m"].merge_right
    wrong = merge_document({"b": 0.7, "a": 0.3})
    assert verdicts_by_model(truth, wrong)["m"].merge_right is False


def test_a_family_without_a_common_ancestor_has_no_root() -> None:
    truth = draw_truth({"F": "a b c"}, [("b", "c", "cast")])
    truth["families"][0]["root"] = None
    document = draw_document(TRUTH, LINE, families=[{"id": "F", "root": None, "size": 3}])
    assert judge(truth, document).roots == (("vit", True),)
    document["families"][0]["root"] = "m_b"
    assert judge(truth, document).roots == (("vit", False),)
