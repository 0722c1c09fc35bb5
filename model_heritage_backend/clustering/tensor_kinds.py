"""What part of a network a tensor is, from its canonical name and shape: for tables, not for trees.

Names are conventions, so a kind is a heading under which a difference is shown and never evidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from model_heritage_backend.clustering.relations import is_head

KINDS: dict[str, re.Pattern[str]] = {
    kind: re.compile(rf"(?:^|\.)(?:{words})(?:_weight|_bias)?(?:\.|$)")
    for kind, words in {
        "normalisation": r"ln(?:_\w+)?|\w*norm\d*|bn\d*",
        "embedding": r"\w*embed(?:ding)?s?(?:_\w+)?|wte|wpe|cls_token|tokens?",
        "attention": r"(?:\w+_)?attn|(?:\w+_)?attention|qkv|[qkvo]_proj|query|key|value|"
        r"(?:in|out)_proj|c_attn",
        "mlp": r"mlp|ffn|feed_?forward|fc\d|(?:gate|up|down)_proj|intermediate|c_fc|experts?|"
        r"dense|linear\d*",
        "convolution": r"conv\d*|downsample",
    }.items()
}
"""Kind -> what a component of the name looks like; the first kind that fits is taken."""


def name_kind(name: str, shape: Sequence[int]) -> str:
    """``head``, ``normalisation``, ``embedding``, ``attention``, ``mlp``, ``convolution`` or
    ``other``."""
    if is_head(name):
        return "head"
    for kind, pattern in KINDS.items():
        if pattern.search(name.lower()):
            return kind
    return "convolution" if len(shape) > 2 else "other"


def find_layer(name: str) -> int | None:
    """The number of the block that a tensor belongs to: the first number in its name."""
    return next((int(part) for part in name.split(".") if part.isdecimal() and len(part) < 7), None)
