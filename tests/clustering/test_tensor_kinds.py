"""Where in a network a tensor belongs, by the naming habits of common libraries."""

from __future__ import annotations

import pytest

from model_heritage_backend.clustering.tensor_kinds import find_layer, name_kind


@pytest.mark.parametrize(
    ("name", "kind", "layer"),
    [
        ("layers.3.self_attn.q_proj.weight", "attention", 3),
        ("layers.3.self_attn.q_norm.weight", "normalisation", 3),
        ("layers.3.mlp.down_proj.weight", "mlp", 3),
        ("layers.3.post_attention_layernorm.weight", "normalisation", 3),
        ("embed_tokens.weight", "embedding", None),
        ("h.11.attn.c_attn.weight", "attention", 11),
        ("h.11.ln_1.weight", "normalisation", 11),
        ("wte.weight", "embedding", None),
        ("encoder.layer.0.attention.self.query.weight", "attention", 0),
        ("encoder.layer.0.intermediate.dense.weight", "mlp", 0),
        ("layers.2.self_attn.in_proj_weight", "attention", 2),
        ("lm_head.weight", "head", None),
        ("features.4.weight", "convolution", 4),
        ("whatever", "other", None),
    ],
)
def test_kind_and_layer(name: str, kind: str, layer: int | None) -> None:
    shape = (8, 4, 3, 3) if kind == "convolution" else (8, 8)
    assert (name_kind(name, shape), find_layer(name)) == (kind, layer)


def test_numbers_that_are_none() -> None:
    """A name is anybody's text."""
    assert find_layer("layers.²." + "9" * 5000) is None
