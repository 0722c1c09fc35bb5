"""Which pairs are measured, and how closely."""

from __future__ import annotations

import pytest

from model_heritage_backend.clustering import edge_judge
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.pair_cache import PairCache
from tests.clustering.families import make_model
from tests.clustering.models import add_noise, fingerprint_arrays

BASE = make_model(1)


def test_a_glance_that_saw_everything_is_not_repeated() -> None:
    """BASE has fewer matrices than a glance takes in: nobody asks twice, and nobody is mistaken."""
    models = {f"m{seed}": add_noise(BASE, share=0.1, seed=seed) for seed in range(4)}
    prints = {name: fingerprint_arrays(arrays) for name, arrays in {"m": BASE, **models}.items()}
    pairs, close = PairCache(), PairCache()
    tree = solve_family(prints, pairs=pairs)
    names = [name for name, _ in pairs.evidence]
    assert len(names) == len(set(names)) >= 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edge_judge, "GLANCED_AT", 0)
        assert solve_family(prints, pairs=close) == tree
    assert len(close.evidence) > len(pairs.evidence), "contested pairs are looked at again"
