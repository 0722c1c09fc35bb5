from __future__ import annotations

import numpy as np

from model_heritage_backend.clustering.traits import (
    TRAITS,
    calculate_unlikeness,
    hash_outline,
    measure_traits,
)
from tests.clustering.models import add_noise, fingerprint_arrays, make_arrays


def test_names_and_orders_change_no_traits() -> None:
    arrays = make_arrays(1)
    order = np.random.default_rng(1)
    hidden = {f"t{n}": order.permutation(values) for n, values in enumerate(arrays.values())}
    first, second = fingerprint_arrays(arrays), fingerprint_arrays(hidden)
    assert hash_outline(first) == hash_outline(second)
    assert np.allclose(measure_traits(first), measure_traits(second), atol=1e-4)


def test_children_are_more_alike_than_strangers() -> None:
    base = make_arrays(1)
    own = measure_traits(fingerprint_arrays(base))
    child = measure_traits(fingerprint_arrays(add_noise(base, share=0.03, seed=1)))
    strangers = np.stack(
        [measure_traits(fingerprint_arrays(make_arrays(seed))) for seed in range(2, 12)]
    )
    assert calculate_unlikeness(own, child[None])[0] < calculate_unlikeness(own, strangers).min()


def test_other_shapes_are_another_outline() -> None:
    prints = [fingerprint_arrays(make_arrays(1, width=width)) for width in (24, 20)]
    assert hash_outline(prints[0]) != hash_outline(prints[1])


def test_odd_weights_have_traits() -> None:
    arrays = make_arrays(1)
    first = sorted(arrays)[0]
    for value in (0.0, np.nan, np.inf, 3e38):
        odd = arrays | {first: np.full_like(arrays[first], value)}
        traits = measure_traits(fingerprint_arrays(odd))
        assert traits.shape == (TRAITS,)
        assert np.isfinite(traits).all()
