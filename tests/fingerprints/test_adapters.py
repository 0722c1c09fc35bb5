"""Adapters' factors: recognised under every library's names, sampled where models are."""

import numpy as np
import pytest

from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.fingerprints.adapters import MOST_RANK
from tests.clustering.models import ArrayWeights, fingerprint_arrays

RNG = np.random.default_rng(5)
UP, DOWN = (RNG.standard_normal(s).astype(np.float32) for s in ((300, 4), (4, 200)))
NAMES = {
    "base_model.model.model.h.0.q.lora_{}.weight": ("model.h.0.q.weight", "AB"),
    "base_model.model.h.0.q.lora_{}.default.weight": ("h.0.q.weight", "AB"),
    "lora_unet_h_0_q.lora_{}.weight": ("lora_unet_h_0_q.weight", ("down", "up")),
    "unet.h.0.q.lora.{}.weight": ("unet.h.0.q.weight", ("down", "up")),
    "h.0.attn.processor.to_q_lora.{}.weight": ("h.0.attn.to_q.weight", ("down", "up")),
}


def make_adapter(down, up, pattern="x.lora_{}.weight", parts="AB", **others) -> Fingerprint:
    factors = {pattern.format(parts[0]): down, pattern.format(parts[1]): up}
    return fingerprint_weights(ArrayWeights(factors | others), checksum="0" * 64)


def sample(matrix):
    return fingerprint_arrays({"w": matrix.astype(np.float32)}).tensors["w"].sample


@pytest.mark.parametrize("pattern", NAMES)
def test_factors_are_recognised_under_the_names_of_every_library(pattern):
    target, parts = NAMES[pattern]
    adapter = make_adapter(DOWN, UP, pattern, parts, **{"x.alpha": np.ones(1, np.float32)})
    assert adapter.is_adapter and list(adapter.adapted) == [target]
    assert adapter.adapted[target].rank == 4 and adapter.quality == ("adapter",)
    assert Fingerprint.from_bytes(adapter.to_bytes()).to_bytes() == adapter.to_bytes()


def test_product_is_sampled_where_a_model_is():
    matrix = make_adapter(DOWN, UP).adapted["x.weight"]
    assert matrix.shapes == ((300, 200), (200, 300))
    np.testing.assert_allclose(matrix.sample, sample(UP @ DOWN), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(matrix.turned, sample((UP @ DOWN).T), rtol=1e-4, atol=1e-5)


def test_convolutions_are_flattened_and_embeddings_transposed():
    kernel = make_adapter(DOWN.reshape(4, 50, 2, 2), UP[..., None, None]).adapted["x.weight"]
    assert kernel.shapes == ((300, 50, 2, 2),)
    np.testing.assert_allclose(kernel.sample, sample(UP @ DOWN), rtol=1e-4, atol=1e-5)
    words = make_adapter(DOWN, UP, "x.lora_embedding_{}").adapted["x.weight"]
    assert words.shapes == ((200, 300),)
    np.testing.assert_allclose(words.sample, sample((UP @ DOWN).T), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "others",
    [
        {"y.lora_A.weight": DOWN},
        {"y.lora_A.weight": DOWN, "y.lora_B.weight": UP[:, :3].copy()},
        {"y.lora_A.weight": DOWN.astype(np.float64)[:0], "y.lora_B.weight": UP[:, :0].copy()},
        {"y.lora_A.weight": DOWN[0], "y.lora_B.weight": UP[:, 0].copy()},
    ],
)
def test_factors_that_do_not_fit_are_left_out_and_noted(others):
    adapter = make_adapter(DOWN, UP, **others)
    assert list(adapter.adapted) == ["x.weight"] and "incomplete_adapter" in adapter.quality
    assert not fingerprint_weights(ArrayWeights(others), checksum="0" * 64).is_adapter


def test_factors_that_meet_in_too_many_dimensions_are_no_adapter():
    high = np.zeros((MOST_RANK + 1, 2), np.float32)
    assert not make_adapter(high, high.T.copy()).is_adapter


def test_a_model_with_its_adapter_beside_it_is_a_model():
    for base in ("x.weight", "x.base_layer.weight"):
        assert not make_adapter(DOWN, UP, **{base: UP @ DOWN}).is_adapter


def test_values_that_are_not_finite_are_kept_as_such():
    spoilt = DOWN.copy()
    spoilt[0, :] = np.nan
    adapter = make_adapter(spoilt, UP)
    assert "nonfinite" in adapter.quality
    assert np.isnan(adapter.adapted["x.weight"].sample).all()
    assert np.isinf(make_adapter(DOWN * 1e30, UP * 1e30).adapted["x.weight"].sample).any()
