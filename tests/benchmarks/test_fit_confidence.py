"""Constants of the confidence are fitted to edges that are right and wrong."""

from __future__ import annotations

from benchmarks.fit_confidence import JudgedEdge, calculate_loss, describe, fit, measure_zoo
from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.confidence import ORDERED, Doubt


def draw_edge(gap: float, *, right: bool) -> JudgedEdge:
    doubt = Doubt(
        certainty=1.0,
        margin=1.0,
        copy=False,
        step=0.1,
        twin=2.0,
        tau=None,
        acute=0.0,
        swaps=((gap, 0.0),),
    )
    return JudgedEdge(doubt, right)


def test_the_best_constants_are_the_likeliest() -> None:
    """One in ten is wrong at a gap of 0.02: the log-odds of the order are about 2.2 there."""
    edges = [draw_edge(0.02, right=n > 0) for n in range(10)]
    best = fit(edges)
    assert 80 < best["gap"] < 140
    assert calculate_loss(edges, best) < calculate_loss(edges, ORDERED)
    assert "10 of 10 edges sure, 1 of them wrong" in describe(edges, ORDERED)


def test_the_family_is_taken_down(zoo_family: Zoo) -> None:
    """Neither copies nor merges nor one of two equal models."""
    edges = measure_zoo(zoo_family)
    assert 0 < len(edges) < 11
    assert not any(edge.doubt.copy for edge in edges)
    assert all(edge.right for edge in edges)
