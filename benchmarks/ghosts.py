"""Ghosts that a document tells of, against the models that were withheld."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Copies = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class GhostVerdicts:
    """``told``: (architecture, right) of every ghost the document names. ``true``: (architecture,
    found) of every withheld model that can be inferred.
    """

    told: tuple[tuple[str, bool], ...]
    true: tuple[tuple[str, bool], ...]


def judge_ghosts(
    truth: Mapping[str, Any],
    document: Mapping[str, Any],
    named: Mapping[str, str],
    copies: Copies,
) -> GhostVerdicts:
    """Compare ghosts by the models that descend from them.

    A withheld model can be inferred when two or more published models are its nearest descendants:
    its children, and the nearest below those children that were withheld, too. Withheld models
    with the same nearest descendants are one. A named ghost is right when its children, two at
    least, are all nearest descendants of one withheld model; a ghost below a ghost stands for its
    own children. Exact duplicates of a model stand for it and count once. The withheld model with
    the fewest nearest descendants that fits is found by it.

    ``named`` : id in the document -> id in the truth. ``copies`` : all exact duplicates of a model.
    """
    architectures = {model["id"]: model["architecture"] for model in truth["models"]}
    hidden = {}
    for ghost in truth.get("ghosts", ()):
        below = frozenset().union(*(copies[model] for model in ghost["descendants"]))
        if _count(below, copies) >= 2:
            hidden[below] = ghost["architecture"]
    told, found = [], set()
    ghosts = {ghost["id"]: ghost["children"] for ghost in document.get("ghosts", ())}
    for ghost in ghosts:
        children = {named[child] for child in _list_models(ghost, ghosts) if child in named}
        fitting = [below for below in hidden if children <= below]
        right = _count(children, copies) >= 2 and bool(fitting)
        if right:
            found.add(min(fitting, key=lambda below: (len(below), sorted(below))))
        told.append((architectures[min(children)] if children else "", right))
    true = [(architecture, below in found) for below, architecture in hidden.items()]
    return GhostVerdicts(told=tuple(told), true=tuple(true))


def _count(models: frozenset[str] | set[str], copies: Copies) -> int:
    """Number of different models, exact duplicates counted once."""
    return len({copies[model] for model in models})


def _list_models(ghost: str, ghosts: Mapping[str, list[str]]) -> list[str]:
    """The children of a ghost that are models, and those of its ghost children."""
    return [
        model
        for child in ghosts[ghost]
        for model in (_list_models(child, ghosts) if child in ghosts else [child])
    ]
