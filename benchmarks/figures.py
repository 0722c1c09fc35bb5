"""Figures over verdicts: accuracies, merges, relations, and how honest the confidence is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from benchmarks.pairs import measure_pairs
from benchmarks.scoring import Judgement, Verdict

SURE = 0.9
PRECISE = 0.95
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
    children = [v for v in verdicts if not v.is_root and not v.orphan]
    pairs = [
        pair
        for judgement in judgements
        for pair in judgement.pairs
        if architecture in (None, pair.architecture)
    ]
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
        **measure_ghosts(judgements, verdicts, architecture=architecture),
        **measure_pairs(pairs),
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
    edges have confidence 0.9 or more and ``sure_accuracy`` of those are right. ``coverage`` is
    the largest share of the edges above one confidence of which 95 % are right. An edge into a
    root is wrong; one into an orphan is right when it comes from the nearest ancestor there is.
    """
    edges = [(v.confidence, v.is_sound) for v in verdicts if v.confidence is not None]
    names = ("edges", "brier", "brier_constant", "ece", "sure_share", "sure_accuracy", "coverage")
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
        _measure_coverage(confidence, right),
    )
    return dict(zip(names, values, strict=True))


def _measure_coverage(confidence: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    shares = [
        float((confidence >= threshold).mean())
        for threshold in np.unique(confidence)
        if right[confidence >= threshold].mean() >= PRECISE
    ]
    return max(shares, default=0.0)


def measure_ghosts(
    judgements: Sequence[Judgement], verdicts: Sequence[Verdict], *, architecture: str | None
) -> dict[str, Any]:
    """Ghosts, and what is said of the models whose parent was withheld.

    ``ghosts`` is the number of withheld models that could be inferred. ``orphans_abstained`` and
    ``orphans_ancestor`` are the shares of orphans without a resolved edge, and with one from the
    nearest ancestor there is; ``orphans_sure_wrong`` counts other parents named with confidence
    0.9 or more.
    """
    told = [r for j in judgements for a, r in j.ghosts.told if architecture in (None, a)]
    true = [f for j in judgements for a, f in j.ghosts.true if architecture in (None, a)]
    orphans = [v for v in verdicts if v.orphan]
    return {
        "ghosts": len(true) if orphans else None,
        "ghosts_told": len(told) if orphans or told else None,
        "ghost_precision": _share(told),
        "ghost_recall": _share(true),
        "orphans": len(orphans) if orphans else None,
        "orphans_abstained": _share(v.abstains for v in orphans),
        "orphans_ancestor": _share(not v.abstains and v.is_sound for v in orphans),
        "orphans_sure_wrong": sum(is_sure_wrong(v) for v in orphans) if orphans else None,
    }


def is_sure_wrong(verdict: Verdict) -> bool:
    """A wrong parent is named with a confidence of 0.9 or more."""
    return (verdict.confidence or 0.0) >= SURE and not verdict.is_sound
