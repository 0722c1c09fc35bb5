"""A family with a model that was quantised group by group, as its files tell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from model_heritage_backend.clustering.arrangement import Arranged, Arrangement
from model_heritage_backend.clustering.edge_measures import measure_edge
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.clustering.genealogy import FamilyTree, Relation
from model_heritage_backend.clustering.heritage import solve_family
from tests.clustering.families import Arrays, Floats, make_model
from tests.clustering.models import ArrayWeights, add_noise, fingerprint_arrays


class Files:
    """What the whole values of models say."""

    def __init__(self, models: Mapping[str, Arrays]) -> None:
        self.models = models

    def __call__(self, first: str, second: str, arranged: Mapping[str, Arranged]) -> ExactEvidence:
        assert not arranged
        a, b = (ArrayWeights(self.models[name]) for name in (first, second))
        return measure_edge(a, b, roundoff=2.0**-24)

    def recall(self, *_: object) -> None:
        """All values are at hand."""

    def find_arrangement(self, *_: object) -> Arrangement | None:
        return None

    def arrange(self, *_: object) -> Arranged | None:
        return None


def quantise_groups(arrays: Arrays) -> dict[str, Floats]:
    """16 levels from the smallest to the largest of every 32 values in a row."""
    quantised = dict(arrays)
    for name, array in arrays.items():
        if array.ndim > 1:
            groups = array.reshape(-1, 32)
            low, high = groups.min(1, keepdims=True), groups.max(1, keepdims=True)
            step = (high - low) / 15
            quantised[name] = (np.round((groups - low) / step) * step + low).reshape(array.shape)
    return quantised


def solve() -> FamilyTree:
    base = make_model(1, width=64)
    tuned = add_noise(base, share=0.1, seed=2)
    models = {"base": base, "tuned": tuned, "other": add_noise(base, share=0.1, seed=3)}
    models["quantised"] = quantise_groups(tuned)
    models["adapted"] = add_noise(models["quantised"], share=0.02, seed=4, rank=2)
    prints = {name: fingerprint_arrays(arrays) for name, arrays in models.items()}
    return solve_family(prints, exact=Files(models))


def test_a_model_quantised_in_groups_is_named_so() -> None:
    edges = solve().main_edges
    edge = edges["quantised"]
    assert (edge.parent, edge.relation, edge.evidence.bits) == ("tuned", Relation.QUANTIZED, 4)
    assert edge.evidence.direction == 12.0
    assert edges["adapted"].parent == "quantised", "it was trained on from the rounded model"
    assert edges["adapted"].relation is Relation.ADAPTER
    others = {name: e.relation for name, e in edges.items() if name not in ("quantised", "adapted")}
    assert set(others.values()) == {Relation.FINETUNE}
