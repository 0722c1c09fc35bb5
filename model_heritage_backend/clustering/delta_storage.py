"""How much of a child's file need not be stored beside its parent's: a careful estimate."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

from model_heritage_backend.clustering.genealogy import Relation

RECOMPUTED = frozenset({Relation.DUPLICATE, Relation.CAST})
"""What the parent gives without anything else."""
PRUNED = 15 / 16
"""Of a pruned copy one bit per value is left to tell, out of the sixteen of half precision."""
PLACE_AND_VALUE = 2.0
"""What one of few changed values costs, in values: its place, and itself."""


def estimate_saving(relation: str, evidence: Mapping[str, Any] | None) -> float | None:
    """Share of a child's weights that its parent makes superfluous.

    Equal matrices cost nothing, changes of low rank their two factors, few changed values their
    places and themselves. That changes of all values can be packed as well is left out.

    Parameters
    ----------
    relation : of the child to its parent
    evidence : of the two files, as ``ExactEvidence.to_dict`` has it; None when not measured

    Returns
    -------
    In [0, 1]; None when nothing was measured that would tell.
    """
    if relation in RECOMPUTED:
        return 1.0
    matrices = evidence["matrices"] if evidence is not None else []
    size = sum(matrix["size"] for matrix in matrices)
    if size == 0:
        return None
    saved = sum(matrix["size"] * _estimate_matrix(relation, matrix) for matrix in matrices)
    return float(saved / size)


def _estimate_matrix(relation: str, matrix: Mapping[str, Any]) -> float:
    changed = float(matrix["changed"])
    by_values = 1.0 - PLACE_AND_VALUE * changed
    if relation == Relation.PRUNED:
        return max(by_values, PRUNED)
    rank = matrix["delta_rank"]
    # A matrix of n values has sides of sqrt(n) at least in their mean: shapes are not kept here.
    by_rank = 1.0 - 2.0 * rank / sqrt(matrix["size"]) if rank else 0.0
    return max(by_values, by_rank, 0.0)
