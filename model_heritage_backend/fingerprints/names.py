"""Canonical tensor names: what remains when wrappers' prefixes are taken off."""

from __future__ import annotations

import re
from collections.abc import Iterable

WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""What torch.compile, FSDP and activation checkpointing put into names, anywhere."""
LEADING_WRAPPER = "module"
"""What data parallel training and averaged models put before names; counters stay without it."""
LLAMA_CPP_BLOCK = re.compile(r"blk\.([0-9]+)\.(.+)")
LLAMA_CPP_TENSOR = re.compile(r"(.+)\.(weight|bias)")
# llama.cpp's names of tensors, without ".weight" -> those of Llama and its like in Hugging Face's
# files, which llama.cpp's converter read.
OUTSIDE_BLOCKS = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "rope_freqs": "model.rope_freqs",
}
WITHIN_BLOCKS = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def canonicalise_names(names: Iterable[str]) -> dict[str, str]:
    """Take off wrappers' components, then the leading ones that all names share ("model.", ...).

    Names of llama.cpp's making (where there is a "token_embd.weight" and a "blk.0.") are first
    turned back into those of the Hugging Face file that a Llama-like model was converted from.

    A component that is a number is kept, as is the last component of any name, so different names
    stay different; wrappers' components stay where two names would become one. Returns name ->
    canonical name.
    """
    given = _undo_llama_cpp(names)
    whole = {name: tuple(known.split(".")) for name, known in given.items()}
    bare = {name: _unwrap(parts) for name, parts in whole.items()}
    split = bare if len(set(bare.values())) == len(whole) else whole
    shared = 0
    if split:
        shortest = min(len(parts) for parts in split.values())
        first = next(iter(split.values()))
        while (
            shared < shortest - 1
            and not first[shared].isdigit()
            and all(parts[shared] == first[shared] for parts in split.values())
        ):
            shared += 1
    return {name: ".".join(parts[shared:]) for name, parts in split.items()}


def _undo_llama_cpp(names: Iterable[str]) -> dict[str, str]:
    """Name -> name before conversion; all themselves where two would become the same."""
    given = list(names)
    if "token_embd.weight" not in given or not any(LLAMA_CPP_BLOCK.match(n) for n in given):
        return {name: name for name in given}
    undone = {name: _undo_one(name) for name in given}
    unique = len(set(undone.values())) == len(undone)
    return undone if unique else {name: name for name in given}


def _undo_one(name: str) -> str:
    block = LLAMA_CPP_BLOCK.fullmatch(name)
    tensor = LLAMA_CPP_TENSOR.fullmatch(name if block is None else block[2])
    if tensor is None:
        return name
    if block is None:
        known = OUTSIDE_BLOCKS.get(tensor[1])
        return name if known is None else f"{known}.{tensor[2]}"
    return f"model.layers.{block[1]}.{WITHIN_BLOCKS.get(tensor[1], tensor[1])}.{tensor[2]}"


def _unwrap(parts: tuple[str, ...]) -> tuple[str, ...]:
    inner = tuple(part for part in parts[:-1] if part not in WRAPPERS)
    while inner and inner[0] == LEADING_WRAPPER:
        inner = inner[1:]
    return (*inner, parts[-1])


def count_layers(names: Iterable[str], matrices: int) -> int:
    """Number of numbered blocks, e.g. 12 for names "blocks.0." to "blocks.11."; else of matrices.

    Parameters
    ----------
    names : canonical tensor names
    matrices : number of weight matrices, the answer when nothing is numbered
    """
    blocks: dict[str, set[str]] = {}
    for name in names:
        parts = name.split(".")
        place = next((i for i, part in enumerate(parts) if part.isdigit()), None)
        if place is not None:
            blocks.setdefault(".".join(parts[:place]), set()).add(parts[place])
    return max((len(numbers) for numbers in blocks.values()), default=0) or matrices
