"""Ghosts against withheld models, drawn by hand."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.figures import summarise
from benchmarks.ghosts import judge_ghosts
from benchmarks.scoring import group_copies, judge
from tests.benchmarks.trees import Link, draw_document, draw_truth

#   a ── (x) ── b ── f        (x) and (y) are withheld; c2 has the values of c
#         ├── c ── c2
#         └── (y) ── d
#              └──── e
LINKS = [("b", "f", "finetune"), ("c", "c2", "duplicate")]
HIDDEN: list[dict[str, Any]] = [
    {"id": "x", "ancestor": "a", "children": ["b", "c"], "descendants": ["b", "c", "d", "e"]},
    {"id": "y", "ancestor": "a", "children": ["d", "e"], "descendants": ["d", "e"]},
]
TRUTH = draw_truth({"F": "a b c c2 d e f"}, LINKS) | {
    "ghosts": [{**ghost, "architecture": "vit"} for ghost in HIDDEN]
}


def tell(*children: str, links: list[Link] = LINKS, confidence: float = 1.0) -> dict[str, Any]:
    """A document with one ghost for each text of children."""
    ghosts = [
        {"id": f"ghost-{place}", "children": [c if "-" in c else f"m_{c}" for c in named.split()]}
        for place, named in enumerate(children)
    ]
    return draw_document(TRUTH, links, confidence=confidence, ghosts=ghosts)


@pytest.mark.parametrize(
    ("children", "right", "found"),
    [
        (["b c"], [True], ["x"]),
        (["b c d e"], [True], ["x"]),
        (["d e"], [True], ["y"]),
        (["b c ghost-1", "d e"], [True, True], ["x", "y"]),
        (["b c", "b d"], [True, True], ["x"]),
        (["b f"], [False], []),
        (["a b"], [False], []),
        (["b"], [False], []),
        (["c c2"], [False], []),
        (["b c2"], [True], ["x"]),
    ],
    ids=str,
)
def test_ghosts(children: list[str], right: list[bool], found: list[str]) -> None:
    document = tell(*children)
    named = {model["id"]: model["id"].removeprefix("m_") for model in document["models"]}
    verdicts = judge_ghosts(TRUTH, document, named, group_copies(TRUTH))
    assert verdicts.told == tuple(("vit", truth) for truth in right)
    assert [name for name, (_, seen) in zip("xy", verdicts.true, strict=True) if seen] == found


def test_a_withheld_model_of_one_line_cannot_be_inferred() -> None:
    single = {**TRUTH["ghosts"][1], "children": ["d"], "descendants": ["d"]}
    truth = {**TRUTH, "ghosts": [single]}
    assert judge_ghosts(truth, {"ghosts": []}, {}, group_copies(truth)).true == ()


def test_orphans_are_counted_apart() -> None:
    #   b is left open, c hangs on its nearest ancestor, d on a sibling, e on b with doubt
    links = [*LINKS, ("a", "c", "finetune"), ("e", "d", "finetune")]
    document = tell(links=links)
    document["edges"].append(
        {**document["edges"][0], "parent": "m_b", "child": "m_e", "confidence": 0.3}
    )
    document["edges"][-1]["resolved"] = False
    figures = summarise([judge(TRUTH, document)])
    assert figures["orphans"] == 4
    assert figures["orphans_abstained"] == 0.5
    assert figures["orphans_ancestor"] == 0.25
    assert figures["orphans_sure_wrong"] == 1
    assert figures["directed"] == 1.0, "only f and c2 have a true parent"
    assert figures["ghosts"] == 2
    assert figures["ghost_recall"] == 0.0
    assert figures["ghost_precision"] is None
    assert figures["sure_accuracy"] == 0.75


def test_zoos_without_withheld_models_say_nothing() -> None:
    truth = draw_truth({"F": "a b"}, [("a", "b", "cast")])
    figures = summarise([judge(truth, draw_document(truth, [("a", "b", "cast")]))])
    assert {figures[n] for n in ("ghosts", "ghosts_told", "ghost_recall", "orphans")} == {None}
