"""The families whose solution is timed."""

from __future__ import annotations

import torch

from benchmarks.speed import Nursery, measure_newcomer, take_fingerprints
from model_heritage_backend.clustering.relatedness import find_components

ROOT = {
    "a.weight": torch.randn(64, 48, generator=torch.Generator().manual_seed(1)),
    "a.bias": torch.zeros(64),
}


def test_the_same_seed_grows_the_same_family() -> None:
    first, again, other = (Nursery(ROOT, seed) for seed in (1, 1, 2))
    for _ in range(12):
        models = [nursery.bear()["a.weight"] for nursery in (first, again, other)]
        assert models[0].equal(models[1])
        assert not models[0].equal(models[2])


def test_what_is_timed_is_one_family() -> None:
    prints = dict(take_fingerprints(ROOT, 12))
    assert find_components(prints) == [sorted(prints)]
    assert len({fingerprint.checksum for fingerprint in prints.values()}) == 12
    arrival, tree = measure_newcomer(prints)
    assert arrival.wall > tree.wall > 0.0
