"""Samples that stand in for files."""

from __future__ import annotations

import numpy as np
import pytest

from model_heritage_backend.clustering.edge_measures import measure_edge
from model_heritage_backend.clustering.sample_weights import open_samples
from tests.clustering.families import Floats, align, find_places, make_model, rename_arrays
from tests.clustering.models import ArrayWeights, add_noise

BASE = make_model(1)


def test_small_models_are_read_whole() -> None:
    """All values lie in the sample, so the evidence is that of the files."""
    child = add_noise(BASE, share=0.1, seed=1)
    family = align({"base": BASE, "child": child})
    places = find_places(family)
    samples = [open_samples(family, places[name]) for name in ("base", "child")]
    found = measure_edge(*samples, roundoff=2.0**-24)
    assert found == measure_edge(ArrayWeights(BASE), ArrayWeights(child), roundoff=2.0**-24)


def test_names_are_the_family_s() -> None:
    odd: dict[str, Floats] = {**rename_arrays(BASE, "wrapped."), "scale": np.ones(3, np.float32)}
    family = align({"base": BASE, "other": add_noise(BASE, share=0.1, seed=1), "odd": odd})
    assert open_samples(family, find_places(family)["odd"]).keys() == BASE.keys() | {"scale"}


def test_a_sample_looks_like_a_tensor() -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Floats] = {
        "w": rng.standard_normal((100, 8, 3, 3)),
        "b": rng.standard_normal(300),
        "half": rng.standard_normal((20, 20)).astype(np.float16),
    }
    family = align({"a": arrays})
    samples = open_samples(family, 0)
    assert {name: tensor.shape for name, tensor in samples.items()} == {
        "w": (64, 64),
        "b": (256,),
        "half": (20, 20),
    }
    tensor = family.tensors[0]["w"]
    flat = arrays["w"].reshape(100, 72)[np.ix_(tensor.rows, tensor.columns)]
    np.testing.assert_array_equal(samples["w"].read_rows(10, 12), flat[10:12])
    np.testing.assert_array_equal(samples["half"].read_rows(0, 20), arrays["half"])


def test_samples_estimate_the_change_of_large_matrices() -> None:
    rng = np.random.default_rng(0)
    first: Floats = rng.standard_normal((300, 200))
    second: Floats = first + 0.2 * rng.standard_normal((300, 200))
    family = align({"a": {"w": first}, "b": {"w": second}})
    places = find_places(family)
    samples = [open_samples(family, places[name]) for name in "ab"]
    found = measure_edge(*samples, roundoff=2.0**-24)
    assert found.relative_change == pytest.approx(0.2, rel=0.1)
