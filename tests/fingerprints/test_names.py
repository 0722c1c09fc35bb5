"""Canonical names: wrappers' prefixes off, llama.cpp's names back to those of their source."""

from __future__ import annotations

import gguf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_heritage_backend.fingerprints.names import WITHIN_BLOCKS, canonicalise_names

LLAMA = (
    "model.embed_tokens.weight",
    "model.layers.0.input_layernorm.weight",
    "model.layers.0.self_attn.q_proj.weight",
    "model.layers.0.self_attn.k_proj.bias",
    "model.layers.0.self_attn.v_proj.weight",
    "model.layers.0.self_attn.o_proj.weight",
    "model.layers.0.self_attn.q_norm.weight",
    "model.layers.0.self_attn.k_norm.weight",
    "model.layers.0.post_attention_layernorm.weight",
    "model.layers.0.mlp.gate_proj.weight",
    "model.layers.0.mlp.up_proj.weight",
    "model.layers.0.mlp.down_proj.weight",
    "model.norm.weight",
)


def convert(name: str, architecture: gguf.MODEL_ARCH) -> str:
    """What llama.cpp's converter calls a tensor."""
    names = gguf.get_tensor_name_map(architecture, 2)
    found = names.get_name(name, try_suffixes=(".weight", ".bias"))
    assert found is not None, name
    return found


@pytest.mark.parametrize("head", [(), ("lm_head.weight",)])
@pytest.mark.parametrize("architecture", [gguf.MODEL_ARCH.QWEN3])
def test_converted_names_are_those_of_the_source(
    head: tuple[str, ...], architecture: gguf.MODEL_ARCH
) -> None:
    """With a head of its own and without, which changes the prefix that all names share."""
    source = canonicalise_names((*LLAMA, *head))
    converted = {convert(name, architecture): name for name in source}
    names = canonicalise_names(converted)
    assert len(converted) == len(source)
    assert {converted[given]: known for given, known in names.items()} == source
    assert {part for name in LLAMA for part in WITHIN_BLOCKS.values() if part in name} == set(
        WITHIN_BLOCKS.values()
    )


def test_unknown_tensors_of_a_converted_model_keep_their_names() -> None:
    names = canonicalise_names(
        ["token_embd.weight", "blk.0.attn_qkv.weight", "blk.0.ffn_gate_exps.weight", "other"]
    )
    assert names == {
        "token_embd.weight": "model.embed_tokens.weight",
        "blk.0.attn_qkv.weight": "model.layers.0.attn_qkv.weight",
        "blk.0.ffn_gate_exps.weight": "model.layers.0.ffn_gate_exps.weight",
        "other": "other",
    }


def test_similar_names_of_other_programs_are_left_alone() -> None:
    for names in (["blk.0.attn_q.weight", "embed.weight"], ["token_embd.weight", "output.weight"]):
        assert canonicalise_names(names) == {name: name for name in names}
    clash = ["token_embd.weight", "model.embed_tokens.weight", "blk.0.attn_q.weight"]
    assert canonicalise_names(clash) == {name: name for name in clash}


def test_shared_prefixes_are_taken_off() -> None:
    assert canonicalise_names(["module.a.w", "module.b.w"]) == {
        "module.a.w": "a.w",
        "module.b.w": "b.w",
    }


PLAIN = ["encoder.0.weight", "encoder.0.bias", "head.weight"]


def canonical(*names: str) -> list[str]:
    return list(canonicalise_names(names).values())


def test_wrappers_are_taken_off() -> None:
    assert canonical(*PLAIN) == PLAIN
    for prefix in ("module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model."):
        assert canonical(*(prefix + name for name in PLAIN)) == PLAIN
    assert (
        canonical(
            "model._fsdp_wrapped_module.encoder.0._checkpoint_wrapped_module.weight",
            "model.encoder.0._orig_mod.bias",
            "model.head.weight",
        )
        == PLAIN
    )


def test_a_counter_beside_the_wrapped_model_does_not_matter() -> None:
    assert canonical(*("module." + name for name in PLAIN), "n_averaged") == [*PLAIN, "n_averaged"]


def test_names_that_would_meet_keep_their_wrappers() -> None:
    assert canonical("a.w", "module.a.w", "b.w") == ["a.w", "module.a.w", "b.w"]


@given(
    st.lists(
        st.lists(st.sampled_from(["module", "_orig_mod", "model", "a", "0", "w"]), min_size=1).map(
            ".".join
        ),
        unique=True,
    )
)
def test_different_names_stay_different(names: list[str]) -> None:
    found = canonicalise_names(names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
