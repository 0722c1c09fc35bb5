"""Canonical tensor names: what remains when wrappers' prefixes are taken off."""

from __future__ import annotations

from collections.abc import Iterable

WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""What torch.compile, FSDP and activation checkpointing put into names, anywhere."""
LEADING_WRAPPER = "module"
"""What data parallel training and averaged models put before names; counters stay without it."""


def canonicalise_names(names: Iterable[str]) -> dict[str, str]:
    """Take off wrappers' components, then the leading ones that all names share ("model.", ...).

    A component that is a number is kept, as is the last component of any name, so different names
    stay different; wrappers' components stay where two names would become one. Returns name ->
    canonical name.
    """
    whole = {name: tuple(name.split(".")) for name in names}
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
