"""Small families under common names, made from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.genealogy import Edge, FamilyTree, Relation
from tests.clustering.models import fingerprint_arrays, make_arrays

Floats = NDArray[np.floating]
Arrays = Mapping[str, Floats]


def align(models: Mapping[str, Arrays]) -> AlignedFamily:
    """The family of some models, by id; all of their values are sampled up to 64 x 64."""
    return AlignedFamily.build(
        {name: fingerprint_arrays(arrays) for name, arrays in models.items()}
    )


def make_model(seed: int, *, width: int = 24, depth: int = 2) -> dict[str, Floats]:
    """A small stranger whose names have no common prefix, all of them canonical."""
    norm = np.linspace(0.9, 1.1, width, dtype=np.float32)
    return {**make_arrays(seed, width=width, depth=depth), "norm.weight": norm}


def find_places(family: AlignedFamily) -> dict[str, int]:
    """Id -> place: members stand in the order of checksums."""
    return {name: place for place, name in enumerate(family.ids)}


def find_matrices(arrays: Arrays) -> dict[str, Floats]:
    """Tensors of two and more dimensions, as float64 matrices."""
    return {
        name: array.reshape(len(array), -1).astype(np.float64)
        for name, array in arrays.items()
        if array.ndim >= 2
    }


def prune_arrays(arrays: Arrays, share: float) -> dict[str, Floats]:
    """The smallest values of every matrix set to zero."""
    pruned = dict(arrays)
    for name, array in arrays.items():
        if array.ndim >= 2:
            limit = np.quantile(np.abs(array), share)
            pruned[name] = np.where(np.abs(array) < limit, 0, array).astype(array.dtype)
    return pruned


def quantise_arrays(arrays: Arrays, bits: int, *, per_row: bool = True) -> dict[str, Floats]:
    """Every matrix rounded to a symmetric grid, and kept as floating point numbers."""
    levels = 2 ** (bits - 1) - 1
    quantised = dict(arrays)
    for name, array in arrays.items():
        if array.ndim >= 2:
            top = np.abs(array).max(axis=1, keepdims=True) if per_row else np.abs(array).max()
            step = (top / levels).astype(array.dtype)
            quantised[name] = (np.round(array / step) * step).astype(array.dtype)
    return quantised


def mix_arrays(first: Arrays, second: Arrays, share: float) -> dict[str, Floats]:
    """share x first + (1 - share) x second."""
    return {
        name: (share * first[name].astype(np.float64) + (1 - share) * second[name]).astype(
            first[name].dtype
        )
        for name in first
    }


def rename_arrays(arrays: Arrays, prefix: str) -> dict[str, Floats]:
    return {prefix + name: array for name, array in arrays.items()}


def make_edge(parent: str, child: str, **options: Any) -> Edge:
    """An edge of a fine-tune with some confidence and distance."""
    plain: dict[str, Any] = {"relation": Relation.FINETUNE, "confidence": 0.75, "distance": 0.5}
    return Edge(parent=parent, child=child, **{**plain, **options})


def list_main(tree: FamilyTree) -> set[tuple[str, str]]:
    return {(edge.parent, edge.child) for edge in tree.edges if edge.main}


def assert_lawful(tree: FamilyTree, members: Sequence[str]) -> None:
    """One root, one main parent for everyone else, every edge with its doubt."""
    assert tree.members == tuple(sorted(members))
    main = tree.main_edges
    assert set(main) == set(members) - {tree.root}
    assert 0.0 <= tree.root_confidence <= 1.0
    for member in members:
        assert [member, *tree.get_ancestors(member)][-1] == tree.root
    for edge in tree.edges:
        runner_up = edge.evidence.runner_up
        assert runner_up not in (edge.parent, edge.child)
        assert edge.evidence.method == tree.method == "heritage"
        margin = edge.evidence.margin
        assert margin is None or 0.0 <= margin <= edge.confidence
