"""Factors between layers, and what is only training."""

from __future__ import annotations

import numpy as np

from model_heritage_backend.clustering.scales import find_scales

RNG = np.random.default_rng(0)
FIRST = {"up": RNG.standard_normal((40, 30)), "down": RNG.standard_normal((30, 40))}
UNITS = {"up": 30, "down": 40, "bias": 1}


def train(size: float) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    return {n: v + size * RNG.standard_normal(v.shape) for n, v in FIRST.items()}


def test_each_unit_has_its_factor() -> None:
    child, factors = train(0.1), np.exp(RNG.uniform(-1.4, 1.4, 40))
    bias = RNG.standard_normal((40, 1))
    pairs = {
        "up": (FIRST["up"], child["up"] * factors[:, None]),
        "down": (FIRST["down"], child["down"] / factors),
        "bias": (bias, bias * factors[:, None]),
    }
    found = find_scales(pairs, UNITS)
    rows, columns = found["up"]
    assert rows is not None
    np.testing.assert_allclose(rows * factors, 1.0, rtol=0.06)
    assert columns is None, "inputs were not scaled"
    assert found["down"][0] is None
    assert found["bias"][0] is not None


def test_a_layer_has_one_factor() -> None:
    child = train(0.1)
    pairs = {"up": (FIRST["up"], 3 * child["up"]), "down": (FIRST["down"], child["down"] / 3)}
    found = find_scales(pairs, UNITS)
    factors = [side for name in ("up", "down") for side in found[name] if side is not None]
    assert [len(np.unique(side)) for side in factors] == [1, 1]
    np.testing.assert_allclose(sorted(side[0] for side in factors), [1 / 3, 3], rtol=0.03)


def test_training_and_decay_are_no_scales() -> None:
    far = train(0.5)
    assert find_scales({n: (v, far[n]) for n, v in FIRST.items()}, UNITS) == {}
    assert find_scales({n: (v, far[n] / 3) for n, v in FIRST.items()}, UNITS) == {}
