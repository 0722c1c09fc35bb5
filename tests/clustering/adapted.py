"""Two really trained bases of one shape, so that shapes decide nothing, and an adapter of one.

a ----+-- b ---- c          s ---- t        (strangers)
      +-- d = a + adapter
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from benchmarks.architectures import Architecture, Kind
from benchmarks.family import Family
from benchmarks.tasks import draw_task
from benchmarks.training import Recipe, Weights
from benchmarks.zoo import one_thread
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.models import Array, fingerprint_arrays

SHAPE = Architecture(kind=Kind.GPT, width=32, depth=2, hidden=64, outputs=96, context=16)
RECIPE = Recipe(rate=3e-3, steps=40, batch=8)
ADAPTER_SCALE = 2.0


def to_arrays(weights: Weights) -> dict[str, Array]:
    return {name: value.float().numpy() for name, value in weights.items()}


@pytest.fixture(scope="session")
def adapted_models() -> dict[str, dict[str, Array]]:
    """By the names of the drawing; "adapter" is a's, and "merged" its weights in d."""
    models: dict[str, dict[str, Array]] = {}
    with one_thread():
        for name, child in (("a", "b"), ("s", "t")):
            rng = random.Random(name)
            family = Family(name)
            recipe = replace(RECIPE, seed=rng.getrandbits(31))
            root = family.plant(SHAPE, recipe, rng)
            tuned = family.fine_tune(root, draw_task(SHAPE, rng), recipe, rng)
            models[name], models[child] = to_arrays(root.weights), to_arrays(tuned.weights)
            if name == "a":
                again = family.fine_tune(tuned, draw_task(SHAPE, rng), recipe, rng)
                recipe = replace(recipe, rate=1e-2)
                adapter, merged = family.publish_adapter(
                    root, draw_task(SHAPE, rng), recipe, rank=4, scale=ADAPTER_SCALE
                )
                models["c"], models["d"] = to_arrays(again.weights), to_arrays(merged)
                models["adapter"] = to_arrays(adapter.weights)
    return models


@pytest.fixture(scope="session")
def adapted_prints(adapted_models: dict[str, dict[str, Array]]) -> dict[str, Fingerprint]:
    return {name: fingerprint_arrays(arrays) for name, arrays in adapted_models.items()}
