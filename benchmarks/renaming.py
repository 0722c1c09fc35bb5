"""Other conventions for the names of the same tensors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

WORDS = {
    "wte": "transformer.token_embedding",
    "wpe": "transformer.position_embedding",
    "embed": "embeddings.patch.projection",
    "cls_token": "embeddings.class_embedding",
    "positions": "embeddings.position_table",
    "norm1": "ln_attention",
    "norm2": "ln_feed_forward",
    "attention.c_attn": "self_attn.qkv_proj",
    "attention.c_proj": "self_attn.o_proj",
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.output": "self_attn.o_proj",
    "fc1": "feed_forward.up",
    "fc2": "feed_forward.down",
    "ln_f": "final_layer_norm",
    "norm": "final_layer_norm",
    "head": "classifier.out",
    "lm_head": "output.decoder",
    "fc": "classifier.dense",
}
STACKS = {"blocks": "encoder.layer", "convs": "features.conv", "norms": "features.bn"}


def translate(names: Sequence[str]) -> dict[str, str]:
    """Another library's words, the endings weight and bias kept: blocks.0.norm1.weight becomes
    encoder.layer.0.ln_attention.weight; an MLP's layers are counted as in a Sequential.
    """
    return {name: _translate(name) for name in names}


def _translate(name: str) -> str:
    stack, _, rest = name.partition(".")
    if stack == "layers":
        number, _, rest = rest.partition(".")
        return f"net.{2 * int(number)}.{rest}"
    if stack in STACKS:
        number, _, rest = rest.partition(".")
        return f"{STACKS[stack]}.{number}.{_replace_words(rest)}"
    return _replace_words(name)


def _replace_words(path: str) -> str:
    for known, word in WORDS.items():
        if path == known or path.startswith(f"{known}."):
            return word + path.removeprefix(known)
    return path


def flatten(names: Sequence[str]) -> dict[str, str]:
    """Paths with slashes, numbers joined to words, weights called kernel, scale or embedding."""
    found = {}
    for name, translated in translate(names).items():
        path = re.sub(r"\.(\d+)\.", r"_\1.", translated)
        if path.endswith(".weight"):
            last = "scale" if "norm" in name or "ln_" in name else "kernel"
            path = path.removesuffix("weight") + ("embedding" if "_embedding." in path else last)
        found[name] = "params/" + path.replace(".", "/")
    return found


def number(names: Sequence[str]) -> dict[str, str]:
    """Only a running number, as exporters of graphs leave."""
    return {name: f"initializer_{i}" for i, name in enumerate(names)}


CONVENTIONS: dict[str, Callable[[Sequence[str]], dict[str, str]]] = {
    "translated": translate,
    "flattened": flatten,
    "numbered": number,
}
