"""What is remembered of pairs and families makes no other tree."""

from __future__ import annotations

import pytest

from model_heritage_backend.clustering import pair_cache
from model_heritage_backend.clustering.constraints import Constraints
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.pair_cache import PairCache
from model_heritage_backend.clustering.tree_builder import MoTHerTreeBuilder
from model_heritage_backend.fingerprints import Fingerprint


def test_a_known_family_is_solved_without_its_samples(
    family_prints: dict[str, Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With new constraints as well; the tree is that of a fresh start."""
    pairs = PairCache()
    tree = solve_family(family_prints, pairs=pairs)
    pinned = Constraints(root=min({*tree.members} - {tree.root}))
    fresh = solve_family(family_prints, constraints=pinned)

    def refuse(*_: object) -> None:
        raise AssertionError("samples were looked at")

    solve_family(family_prints, pairs=pairs, constraints=pinned)
    monkeypatch.setattr("model_heritage_backend.clustering.sample_stacks._stack", refuse)
    assert solve_family(family_prints, pairs=pairs) == tree
    assert solve_family(family_prints, pairs=pairs, constraints=pinned) == fresh


def test_too_many_pairs_are_forgotten(
    family_prints: dict[str, Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = MoTHerTreeBuilder()
    tree = builder.solve(family_prints)
    known = len(builder.pairs.details)
    builder.solve(family_prints)
    assert len(builder.pairs.details) == known > 0
    monkeypatch.setattr(pair_cache, "LARGEST_DETAILS", known - 1)
    builder.pairs.limit()
    assert len(builder.pairs.details) == len(builder.pairs.evidence) == 0
    assert builder.solve(family_prints) == tree
