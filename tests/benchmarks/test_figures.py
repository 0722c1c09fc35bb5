"""Figures over verdicts, checked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.figures import measure_confidence, measure_merges, summarise
from benchmarks.scoring import Verdict, judge
from tests.benchmarks.trees import draw_document, draw_truth

LINE = [("a", "b", "finetune"), ("b", "c", "adapter"), ("a", "d", "pruned"), ("d", "e", "cast")]
TRUTH = draw_truth({"F": "a b c d e", "S": "s"}, LINE)


def make_verdict(**changes: Any) -> Verdict:
    values: dict[str, Any] = {
        "model": "x",
        "architecture": "vit",
        "parent": "p",
        "accepted": frozenset("p"),
        "right": True,
        "right_up_to_copies": True,
        "adjacent": True,
        "relation": "finetune",
        "true_relation": "finetune",
        "merge_right": None,
        "coefficient_error": None,
        "confidence": 0.8,
    }
    return Verdict(**values | changes)


def test_a_perfect_document_scores_one_everywhere() -> None:
    figures = summarise([judge(TRUTH, draw_document(TRUTH, LINE))])
    assert figures["models"] == 6
    assert figures["families"] == 1
    for name in ("family_ari", "undirected", "directed", "root", "relation", "sure_accuracy"):
        assert figures[name] == 1.0, name
    assert figures["brier"] == figures["ece"] == 0.0


def test_shares_of_a_partly_wrong_document() -> None:
    # b ── a turned; e hangs on c instead of d; c's relation is wrong.
    told = [
        ("b", "a", "finetune"),
        ("b", "c", "finetune"),
        ("a", "d", "pruned"),
        ("c", "e", "cast"),
    ]
    figures = summarise([judge(TRUTH, draw_document(TRUTH, told))])
    assert figures["undirected"] == 0.75
    assert figures["directed"] == 0.5
    assert figures["relation"] == 0.5
    assert figures["relation_confusion"] == {"adapter -> finetune": 1}


def test_families_torn_apart_lower_the_rand_index() -> None:
    document = draw_document(TRUTH, LINE)
    for model in document["models"][3:]:
        model["family"] = "G"
    assert summarise([judge(TRUTH, document)])["family_ari"] < 0.5


def test_an_architecture_alone() -> None:
    figures = summarise([judge(TRUTH, draw_document(TRUTH, LINE))], architecture="gpt")
    assert figures["models"] == figures["edges"] == 0
    assert figures["directed"] is figures["family_ari"] is figures["brier"] is None


def test_confidence_by_hand() -> None:
    right = [make_verdict(confidence=0.95), make_verdict(confidence=0.95)]
    wrong = [make_verdict(confidence=0.55, right=False), make_verdict(confidence=0.95, right=False)]
    figures = measure_confidence([*right, *wrong, make_verdict(confidence=None)])
    assert figures["edges"] == 4
    assert figures["brier"] == pytest.approx((3 * 0.05**2 - 0.05**2 + 0.95**2 + 0.55**2) / 4)
    assert figures["brier_constant"] == 0.25
    assert figures["ece"] == pytest.approx(0.75 * (0.95 - 2 / 3) + 0.25 * 0.55)
    assert figures["sure_share"] == 0.75
    assert figures["sure_accuracy"] == pytest.approx(2 / 3)


def test_merges_by_hand() -> None:
    merge: dict[str, Any] = {"true_relation": "merge", "relation": "merge"}
    found = make_verdict(**merge, merge_right=True, coefficient_error=0.02)
    halved = make_verdict(**merge, merge_right=False)
    missed = make_verdict(true_relation="merge", merge_right=False)
    invented = make_verdict(relation="merge", merge_right=False)
    figures = measure_merges([found, halved, missed, invented, invented, make_verdict()])
    assert figures["merges"] == 3
    assert figures["merge_precision"] == 0.25
    assert figures["merge_recall"] == pytest.approx(1 / 3)
    assert figures["coefficient_error"] == 0.02


def test_coverage_reaches_down_to_the_last_precise_threshold() -> None:
    # One wrong between 20 and 10 right ones, then two wrong: 30 of the first 31 are right.
    sure = [make_verdict(confidence=0.99 - place / 100) for place in range(20)]
    wrong = [make_verdict(confidence=c, right=False) for c in (0.75, 0.2, 0.1)]
    rest = [make_verdict(confidence=0.7 - place / 100) for place in range(10)]
    assert measure_confidence([*sure, *wrong, *rest])["coverage"] == pytest.approx(31 / 33)
    assert measure_confidence(wrong)["coverage"] == 0.0
