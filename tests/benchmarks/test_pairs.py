"""Relatedness of altered models."""

from __future__ import annotations

import numpy as np

from benchmarks.pairs import judge_pairs, measure_pairs
from tests.benchmarks.trees import draw_truth

TRUTH = draw_truth({"F": "a b c", "S": "s"}, [("a", "b", "finetune"), ("a", "c", "finetune")])
FILES = ["s.safetensors", "c.safetensors", "b.safetensors", "a.safetensors"]


def test_only_pairs_with_an_altered_model_count() -> None:
    altered = {"b": [{"kind": "rename"}], "c": [{"kind": "scale"}, {"kind": "drop"}]}
    models = [{**m, "alterations": altered.get(m["id"], [])} for m in TRUTH["models"]]
    related = np.zeros((4, 4), bool)
    related[FILES.index("a.safetensors"), FILES.index("c.safetensors")] = True
    related[FILES.index("b.safetensors"), FILES.index("s.safetensors")] = True
    pairs = judge_pairs({**TRUTH, "models": models}, FILES, related)
    assert len(pairs) == 5, "all but a and s"
    assert measure_pairs(pairs) == {
        "altered_pairs": 3,
        "altered_related": 1 / 3,
        "altered_false": 1,
        "altered_by_kind": {
            "drop": {"alone": None, "among_others": 0.5},
            "rename": {"alone": 0.0, "among_others": 0.0},
            "scale": {"alone": None, "among_others": 0.5},
        },
    }


def test_nothing_altered_is_nothing_measured() -> None:
    assert judge_pairs(TRUTH, FILES, np.ones((4, 4), bool)) == []
    assert set(measure_pairs([]).values()) == {None}
