"""Figures over verdicts: accuracies, merges, relations, and how honest the confidence is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.scoring import Judgement, Verdict

SURE = 0.9
BINS = 10


def summarise(
    judgements: Sequence[Judgement], *, architecture: str | None = None
) -> dict[str, Any]:
    """All figures over some zoos, or over their models of one architecture; JSON-ready.

    Shares are in [0, 1]; None where there was nothing to measure. The adjusted Rand index is the
    mean over the zoos and belongs to whole zoos only.
    """
    verdicts = [
        verdict
        for judgement in judgements
        for verdict in judgement.verdicts
        if architecture in (None, verdict.architecture)
    ]
    roots = [
        right
        for judgement in judgements
        for kind, right in judgement.roots
        if architecture in (None, kind)
    ]
    children = [verdict for verdict in verdicts if not verdict.is_root]
    right = [verdict for verdict in children if verdict.right]
    return {
        "models": len(verdicts),
        "families": len(roots),
        "family_ari": None
        if architecture
        else _share(adjusted_rand_score(*zip(*j.labels, strict=True)) for j in judgements),
        "undirected": _share(v.adjacent for v in children),
        "directed": _share(v.right for v in children),
        "directed_up_to_copies": _share(v.right_up_to_copies for v in children),
        "root": _share(roots),
        "relation": _share(v.relation == v.true_relation for v in right),
        "relation_confusion": _count_confusion(right),
        **measure_merges(verdicts),
        **measure_confidence(verdicts),
    }


def _share(values: Iterable[bool | float]) -> float | None:
    found = [float(value) for value in values]
    return float(np.mean(found)) if found else None


def _count_confusion(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """How often one relation was taken for another, most frequent first."""
    pairs = Counter(
        f"{verdict.true_relation} -> {verdict.relation}"
        for verdict in verdicts
        if verdict.relation != verdict.true_relation
    )
    return dict(pairs.most_common())


def measure_merges(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Precision and recall of merges with exactly the right parents; error of the coefficients."""
    told = [verdict for verdict in verdicts if verdict.relation == "merge"]
    true = [verdict for verdict in verdicts if verdict.true_relation == "merge"]
    errors = [v.coefficient_error for v in true if v.coefficient_error is not None]
    return {
        "merges": len(true),
        "merge_precision": _share(bool(v.merge_right) for v in told),
        "merge_recall": _share(bool(v.merge_right) for v in true),
        "coefficient_error": _share(errors),
    }


def measure_confidence(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Whether main edges are right as often as their confidence says.

    ``brier`` is to be compared with ``brier_constant``, that of always answering the base rate;
    ``ece`` is the expected calibration error over ten bins of equal width; ``sure_share`` of the
    edges have confidence 0.9 or more and ``sure_accuracy`` of those are right. An edge into a
    root is wrong.
    """
    edges = [(v.confidence, v.right) for v in verdicts if v.confidence is not None]
    names = ("edges", "brier", "brier_constant", "ece", "sure_share", "sure_accuracy")
    if not edges:
        return {**dict.fromkeys(names), "edges": 0}
    confidence, right = np.array(edges, float).T
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        (places == place).mean() * abs((confidence - right)[places == place].mean())
        for place in np.unique(places)
    ]
    sure = confidence >= SURE
    values = (
        len(edges),
        float(np.mean((confidence - right) ** 2)),
        float(right.mean() * (1 - right.mean())),
        float(sum(gaps)),
        float(sure.mean()),
        _share(right[sure]),
    )
    return dict(zip(names, values, strict=True))
