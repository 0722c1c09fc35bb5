"""Which of several names of the same values a checkpoint's tensor goes by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HEADS = frozenset({
    "head", "heads", "out", "output", "outputs", "logits", "loss", "classifier", "predictions",
    "generator", "unembed", "unembedding", "projector",
})  # fmt: skip
"""Words in the names of output layers. Tied to an embedding, they are what files leave out."""
SEPARATORS = re.compile(r"[._]")


def choose_name(names: Iterable[str]) -> str:
    """The one that stays, whatever their order: no output layer, little nested, then by alphabet.

    PyTorch files list all names of tied tensors and safetensors files only one; Transformers keeps
    the embedding, which this agrees with in all of its models that we looked at.
    """
    return min(
        names,
        key=lambda name: (not HEADS.isdisjoint(SEPARATORS.split(name)), name.count("."), name),
    )


def read_removed_names(
    metadata: Mapping[str, str], kept: Mapping[str, object]
) -> dict[str, list[str]]:
    """Kept name -> names that ``safetensors.torch.save_model`` removed beside it.

    It notes every one as an entry of the metadata, removed name -> kept name.
    """
    removed: dict[str, list[str]] = {}
    for name, target in metadata.items():
        if target in kept and name not in kept:
            removed.setdefault(target, []).append(name)
    return removed
