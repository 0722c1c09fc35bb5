"""Canonical tensor names: what remains when wrappers' prefixes are taken off."""

from __future__ import annotations

from collections.abc import Iterable


def canonicalise_names(names: Iterable[str]) -> dict[str, str]:
    """Strip the leading components that all names share ("module.", "model.", ...).

    A component that is a number is kept, as is the last component of any name, so different names
    stay different. Returns name -> canonical name.
    """
    split = {name: name.split(".") for name in names}
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
