"""Why an edge is believed, in words."""

from __future__ import annotations

from typing import Any

import pytest

from model_heritage_backend.clustering.genealogy import Edge, Evidence, Relation
from model_heritage_backend.clustering.reasons import list_reasons


def explain(relation: Relation = Relation.FINETUNE, **evidence: Any) -> list[str]:
    return list_reasons(
        Edge(
            parent="p",
            child="c",
            relation=relation,
            confidence=0.9,
            distance=0.1,
            evidence=Evidence(**evidence),
        )
    )


@pytest.mark.parametrize(
    ("evidence", "sentence"),
    [
        ({"changed_tensors": 3, "shared_tensors": 9}, "3 of 9 shared tensors differ."),
        ({"relative_change": 0.0312}, "The weights moved by 3.1 % of their norm."),
        ({"delta_rank": 8}, "The changes have a rank of 8: the mark of an adapter."),
        ({"direction": 1.0}, "Taken alone, the two speak for this parent, 2.7 to 1."),
        (
            {"direction": -800.0},
            "Taken alone, the two speak for the other way round, more than 1,000 to 1.",
        ),
        ({"margin": 0.9}, "No other model here could be the parent."),
        ({"exact": True}, "Both files were read and compared weight by weight."),
        ({"flags": ("somewhat_new",)}, "Noted: somewhat_new."),
    ],
)
def test_what_was_measured_is_said(evidence: dict[str, object], sentence: str) -> None:
    assert sentence in explain(**evidence)


def test_nothing_else_is_said() -> None:
    assert explain() == ["Only the two fingerprints were compared, not the files."]
    assert "No other model here could be the parent." not in explain(runner_up="x", margin=0.3)


def test_equal_models_have_no_known_order() -> None:
    assert "which of them came first cannot be told" in " ".join(explain(Relation.DUPLICATE))
